//! The milters that are measured, each started with a configuration of its own in a folder of its own.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zi2_milter::client::Endpoint;
use zi2_sig::SigningKey;

use crate::Trouble;

/// A milter that runs until it is dropped.
pub(crate) struct Peer {
    child: Child,
    folder: tempfile::TempDir,
}

/// The unprivileged account of Debian for what needs none of its own.
const NOBODY: u32 = 65_534;

/// The key that signs: a seed in base64, for tests and benches only.
const SEED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n";

impl Peer {
    /// `zi2-milter` with both listeners; `chain` is what it does with SPF, DKIM and DMARC.
    pub(crate) fn zi2(programs: &Path, dns: SocketAddr, chain: &str) -> Result<Peer, Trouble> {
        let folder = shared_folder()?;
        let here = folder.path().display();
        let keys = folder.path().join("keys");
        fs::create_dir(&keys)?;
        fs::write(keys.join("zi2-cert-2026-01.key"), SEED)?;
        fs::set_permissions(keys.join("zi2-cert-2026-01.key"), fs::Permissions::from_mode(0o400))?;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))?;
        let config = format!(
            "server.sid = \"mail.good.example\"\nserver.hosted = [\"good.example\"]\nserver.user = \"{NOBODY}\"\n\
             server.group = \"{NOBODY}\"\nkeys.dir = \"{here}/keys\"\negress.listen = [\"unix:{here}/egress.sock\"]\n\
             ingress.listen = [\"unix:{here}/ingress.sock\"]\ningress.deadline = \"2s\"\ndns.servers = [\"{dns}\"]\n\
             store.path = \"{here}/zi2.db\"\nmetrics.listen = \"\"\n\
             chain.mode = \"{chain}\"\n"
        );
        fs::write(folder.path().join("zi2.toml"), config)?;
        give_away(folder.path())?;
        let log = fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new(programs.join("zi2d"));
        command.arg("milter").arg("--config").arg(folder.path().join("zi2.toml")).stderr(log);
        Peer::start(command, folder, "ingress.sock")
    }

    /// OpenDKIM that signs with Ed25519; none where it is not installed.
    pub(crate) fn opendkim() -> Result<Option<Peer>, Trouble> {
        let Some(program) = ["/usr/sbin/opendkim", "/usr/bin/opendkim"].iter().find(|path| Path::new(path).exists())
        else {
            return Ok(None);
        };
        let folder = shared_folder()?;
        let key = folder.path().join("key.pem");
        let made = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&key).output()?;
        if !made.status.success() {
            return Err("openssl makes no key".into());
        }
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let here = folder.path().display();
        let config = format!(
            "Syslog no\nCanonicalization relaxed/relaxed\nMode s\nUMask 000\nSocket local:{here}/socket\n\
             PidFile {here}/pid\nBackground no\nAutoRestart no\nDomain good.example\nSelector bench\nKeyFile {here}/key.pem\n\
             SignatureAlgorithm ed25519-sha256\nOversignHeaders From\nInternalHosts 0.0.0.0/0\nRequireSafeKeys no\n"
        );
        fs::write(folder.path().join("conf"), config)?;
        let mut command = Command::new(program);
        command.arg("-f").arg("-x").arg(folder.path().join("conf")).stderr(Stdio::null());
        Peer::start(command, folder, "socket").map(Some)
    }

    /// The smallest filter, which shows what protocol and driver cost.
    pub(crate) fn null(programs: &Path) -> Result<Peer, Trouble> {
        let folder = shared_folder()?;
        let mut command = Command::new(programs.join("examples/null_milter"));
        command.arg(folder.path().join("socket"));
        Peer::start(command, folder, "socket")
    }

    fn start(mut command: Command, folder: tempfile::TempDir, socket: &str) -> Result<Peer, Trouble> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut peer = Peer { child, folder };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(peer.path(socket)).is_err() {
            if began.elapsed() > Duration::from_secs(20) || peer.child.try_wait()?.is_some() {
                let log = fs::read_to_string(peer.path("log")).unwrap_or_default();
                return Err(format!("{command:?} does not listen: {log}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of its sockets.
    pub(crate) fn endpoint(&self, socket: &str) -> Endpoint {
        Endpoint::Unix(self.path(socket))
    }

    /// Processor seconds it has used.
    pub(crate) fn cpu(&self) -> Result<f64, Trouble> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(") ").next().ok_or("no stat")?;
        let ticks = |index| after_name.split(' ').nth(index).and_then(|ticks| ticks.parse::<u32>().ok());
        let (user, system) = (ticks(11).ok_or("no stat")?, ticks(12).ok_or("no stat")?);
        let per_second = u32::try_from(rustix::param::clock_ticks_per_second())?;
        Ok(f64::from(user + system) / f64::from(per_second))
    }

    /// A line of its status, in KiB: `VmRSS`, `VmHWM`.
    pub(crate) fn memory(&self, name: &str) -> Result<u64, Trouble> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().unwrap_or(());
        drop(self.child.wait());
    }
}

/// The record of the key that signs.
pub(crate) fn record() -> Result<String, Trouble> {
    let key = SigningKey::from_seed(&[7; 32]).ok_or("no key")?;
    Ok(format!("v=ZI2CERT1; k=ed25519; p={}; kid=zi2-cert-2026-01", key.public().to_base64()))
}

fn shared_folder() -> Result<tempfile::TempDir, Trouble> {
    let folder = tempfile::Builder::new().prefix("zi2-bench-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Started by root, the daemon becomes another account, whose the folder must be.
fn give_away(folder: &Path) -> Result<(), Trouble> {
    if rustix::process::geteuid().is_root() {
        for path in [folder.to_owned(), folder.join("keys"), folder.join("keys/zi2-cert-2026-01.key")] {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(())
}
