//! Running another program and reading what it says: bounded in time and length, and never asked for a password.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::io::Host;
use crate::limits::{PROGRAM_OCTETS, PROGRAM_TIME};

/// Why a program gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be started.
    Start(io::Error),
    /// It was stopped after [`PROGRAM_TIME`].
    Late,
    /// It said more than [`PROGRAM_OCTETS`].
    TooLong,
    /// It failed and said why.
    Failed(String),
}

/// Where a program is: in `$PATH`, or else in the directories that the paths of ordinary users lack.
pub(crate) fn find(name: &str, host: &Host) -> Option<PathBuf> {
    let path = host.variable("PATH").unwrap_or(OsStr::new("")).to_owned();
    let listed = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    let usual = ["usr/sbin", "usr/local/sbin", "sbin"].map(|directory| host.root.join(directory));
    listed.chain(usual).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// What the program writes to its standard output.
pub(crate) fn output(program: &Path, arguments: &[&OsStr], host: &Host) -> Result<String, Failure> {
    output_within(PROGRAM_TIME, program, arguments, host)
}

fn output_within(time: Duration, program: &Path, arguments: &[&OsStr], host: &Host) -> Result<String, Failure> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(host.environment.iter().cloned()).env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Failure::Start)?;
    let deadline = Instant::now() + time;
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = end(&mut child, deadline)?;
    // A grandchild may hold the pipes open for longer.
    let said = |pipe: Receiver<Vec<u8>>| pipe.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    let (out, err) = (said(out).map_err(|_| Failure::Late)?, said(err).unwrap_or_default());
    match out {
        _ if !status.success() => Err(Failure::Failed(first_line(&err, status))),
        out if u64::try_from(out.len()).is_ok_and(|octets| octets > PROGRAM_OCTETS) => Err(Failure::TooLong),
        out => Ok(String::from_utf8_lossy(&out).into_owned()),
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut octets = Vec::new();
        // What was read before an error is all there is.
        let _broken = pipe.map(|pipe| pipe.take(PROGRAM_OCTETS + 1).read_to_end(&mut octets));
        let _nobody_waits = tell.send(octets);
    });
    told
}

/// Waits for the end, or makes it. std has no wait with a deadline.
fn end(child: &mut Child, deadline: Instant) -> Result<ExitStatus, Failure> {
    const STEP: Duration = Duration::from_millis(5);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(STEP),
            Ok(None) => {
                let _gone = child.kill().and_then(|()| child.wait());
                return Err(Failure::Late);
            }
            Err(error) => return Err(Failure::Start(error)),
        }
    }
}

fn first_line(err: &[u8], status: ExitStatus) -> String {
    let text = String::from_utf8_lossy(err);
    text.lines().find(|line| !line.trim().is_empty()).map_or_else(|| status.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use zi2_config::Paths;
    use zi2_mail::Timestamp;

    use super::*;
    use crate::{Surface, Talk};

    #[test]
    fn time_and_length_are_bounded() {
        let host = Host {
            environment: vec![("SHOWN".into(), "yes".into())],
            paths: Paths::below("/nonexistent".as_ref()),
            root: "/nonexistent".into(),
            now: Timestamp::from_secs(0),
            out: Surface::Other,
            err: Surface::Other,
            talk: Talk::Normal,
        };
        let shell = |script: &str, millis| {
            let arguments = ["-c", script].map(OsStr::new);
            output_within(Duration::from_millis(millis), Path::new("/bin/sh"), &arguments, &host)
        };
        assert_eq!(shell("echo $SHOWN $HOME", 10_000).unwrap(), "yes\n", "only the environment it is given");
        assert!(matches!(shell("while :; do :; done", 50), Err(Failure::Late)));
        assert!(matches!(shell("sleep 3 & exit 0", 50), Err(Failure::Late)), "a grandchild holds the pipe");
        assert!(matches!(shell("yes", 10_000), Err(Failure::Failed(_) | Failure::TooLong)));
        let says = |octets: u64| shell(&format!("head -c {octets} /dev/zero"), 10_000);
        assert_eq!(says(PROGRAM_OCTETS).map(|said| said.len() as u64).ok(), Some(PROGRAM_OCTETS));
        assert!(matches!(says(PROGRAM_OCTETS + 1), Err(Failure::TooLong)));
        let failed = shell("echo >&2; echo no such thing >&2; exit 3", 10_000);
        assert!(matches!(&failed, Err(Failure::Failed(said)) if said == "no such thing"), "{failed:?}");
        assert!(matches!(output(Path::new("/nonexistent"), &[], &host), Err(Failure::Start(_))));
        assert_eq!(find("postconf", &host), None);
    }
}
