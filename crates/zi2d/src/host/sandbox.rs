//! What the process gives up before it reads a stranger's octet: new privileges, core dumps, files it has no business
//! with, and system calls that no mail filter makes. Each only where the kernel has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use zi2_config::{Config, Dkim, DkimKeyPlace, KeySource, Paths};

use super::account::writable;
use crate::limits::FILE_HANDLES;

/// Gives up what is not needed. What the kernel lacks is named in the answer, for the log; it keeps nobody from starting.
/// Threads inherit it: call it before there are any.
pub(crate) fn enter_sandbox(config: &Config, paths: &Paths) -> Vec<String> {
    let mut missing = Vec::new();
    let mut note = |what: &str, result: Result<(), String>| {
        if let Err(error) = result {
            missing.push(format!("{what}: {error}"));
        }
    };
    note("file handles", raise_file_handles());
    note("core dumps", no_core_dumps());
    note("no new privileges", rustix::thread::set_no_new_privs(true).map_err(|errno| errno.to_string()));
    note("landlock", restrict_files(config, paths));
    note("seccomp", restrict_calls());
    missing
}

/// As many as are allowed, since every connection takes one.
fn raise_file_handles() -> Result<(), String> {
    setrlimit(Resource::Nofile, raised(getrlimit(Resource::Nofile))).map_err(|errno| errno.to_string())
}

fn raised(now: Rlimit) -> Rlimit {
    let most = now.maximum.unwrap_or(FILE_HANDLES).min(FILE_HANDLES);
    Rlimit { current: now.current.map(|current| current.max(most)), maximum: now.maximum }
}

/// Keys live in this memory: it is never written to a disk, and no other process of the account may look at it.
fn no_core_dumps() -> Result<(), String> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let set = setrlimit(Resource::Core, none).and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    set.map_err(|errno| errno.to_string())
}

fn restrict_files(config: &Config, paths: &Paths) -> Result<(), String> {
    let abi = ABI::V3;
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|ruleset| ruleset.create())
        .and_then(|ruleset| ruleset.add_rules(path_beneath_rules(readable(config, paths), AccessFs::from_read(abi))))
        .and_then(|ruleset| ruleset.add_rules(path_beneath_rules(writable(config), AccessFs::from_all(abi))))
        .and_then(|ruleset| ruleset.restrict_self());
    match restricted {
        Ok(status) if status.ruleset == landlock::RulesetStatus::NotEnforced => {
            Err("this kernel does not have it".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Configuration, keys, maps, and what resolvers and clocks of a C library look at. A reload may read new files there; a
/// map somewhere else needs a restart.
fn readable(config: &Config, paths: &Paths) -> Vec<PathBuf> {
    let mut readable: Vec<PathBuf> =
        ["/etc", "/usr/share/zoneinfo", "/proc/self", "/sys/fs/cgroup", "/dev/urandom"].map(PathBuf::from).to_vec();
    let parent = |path: &Path| path.parent().map(Path::to_owned);
    readable.extend(parent(&paths.file));
    readable.extend(match &config.keys.source {
        KeySource::Directory(directory) => Some(directory.clone()),
        KeySource::ProductFile(file) => parent(file),
    });
    readable.extend(dkim(config));
    readable.push(config.dkim2.dir.clone());
    readable.extend(std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from));
    readable.retain(|path| path.exists());
    readable
}

/// Where keys of DKIM are.
fn dkim(config: &Config) -> Vec<PathBuf> {
    let Dkim { dir, tables, .. } = &config.dkim;
    let entries = tables.iter().flat_map(|tables| tables.keys());
    let files = entries.filter_map(|entry| match &entry.key {
        DkimKeyPlace::File(path) => path.parent().map(Path::to_owned),
        // The part that is the same for all domains.
        DkimKeyPlace::FileOfAuthor(template) => {
            let fixed = template.split('%').next().and_then(|text| text.rsplit_once('/'));
            fixed.map(|(directory, _)| PathBuf::from(directory))
        }
        DkimKeyPlace::Inline(_) => entry.place.file().and_then(Path::parent).map(Path::to_owned),
    });
    let mut places: Vec<PathBuf> = files.chain([dir.clone()]).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// Answers EPERM to calls that would only serve somebody who has taken the process over: other programs, other
/// namespaces, other processes' memory, the kernel's own parts. systemd's filter, where there is one, allows less.
fn restrict_calls() -> Result<(), String> {
    const REFUSED: &[libc::c_long] = &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_personality,
    ];
    let rules: BTreeMap<i64, Vec<seccompiler::SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into().map_err(|_| "unknown architecture".to_owned())?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture);
    let program: BpfProgram = filter.and_then(BpfProgram::try_from).map_err(|error| error.to_string())?;
    apply_filter(&program).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_file_handles_as_are_allowed_and_wanted() {
        for (current, maximum, raised_to) in [
            (Some(1024), Some(FILE_HANDLES - 1), Some(FILE_HANDLES - 1)),
            (Some(1024), Some(FILE_HANDLES), Some(FILE_HANDLES)),
            (Some(1024), Some(FILE_HANDLES + 1), Some(FILE_HANDLES)),
            (Some(1024), None, Some(FILE_HANDLES)),
            (Some(FILE_HANDLES + 1), None, Some(FILE_HANDLES + 1)),
            (None, None, None),
        ] {
            let raised = raised(Rlimit { current, maximum });
            assert_eq!((raised.current, raised.maximum), (raised_to, maximum), "{current:?} {maximum:?}");
        }
    }
}
