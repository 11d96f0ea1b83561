//! The program as a process: start, refusals with their exit codes, metrics, reload, end, and memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use zi2_milter::OptNeg;
use zi2_milter::client::{Answered, Client, Endpoint, Origin};

use crate::kit::{Delivered, letter};

/// A folder with a configuration, and the process that runs by it.
struct Daemon {
    folder: tempfile::TempDir,
    child: Option<Child>,
}

const PATIENCE: Duration = Duration::from_secs(60);

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Daemon {
    fn new(more: &str) -> Daemon {
        let daemon = Daemon { folder: tempfile::tempdir().unwrap(), child: None };
        let keys = daemon.path("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o700)).unwrap();
        // Tests may run as root, which the daemon refuses to stay: the folder is for the account it becomes.
        if rustix::process::geteuid().is_root() {
            for path in [daemon.folder.path(), &keys] {
                std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
            }
        }
        daemon.configure(more);
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, more: &str) {
        let here = self.folder.path().display();
        let text = format!(
            "server.sid = \"mail.good.example\"\nserver.hosted = [\"good.example\"]\nserver.user = \"65534\"\n\
             server.group = \"65534\"\nkeys.dir = \"{here}/keys\"\negress.listen = [\"unix:{here}/egress.sock\"]\n\
             ingress.listen = [\"unix:{here}/ingress.sock\"]\ndns.servers = [\"127.0.0.1:1\"]\n\
             store.path = \"{here}/zi2.db\"\nlog.format = \"json\"\n{more}\n"
        );
        std::fs::write(self.path("zi2.toml"), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zi2d"));
        command.arg("milter").arg("--config").arg(self.path("zi2.toml")).env_clear();
        command
    }

    fn start(&mut self) {
        let log = std::fs::File::options().append(true).create(true).open(self.path("log")).unwrap();
        let child = self.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        self.logged("\"ready\"");
    }

    /// Waits for a log line that holds the text, and returns it.
    fn logged(&mut self, text: &str) -> String {
        let log = self.path("log");
        until(text, || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let child = self.child.as_mut().unwrap();
            assert!(child.try_wait().unwrap().is_none() || log.contains(text), "it ended:\n{log}");
            log.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    fn connect(&self, side: &str) -> Client {
        let endpoint = Endpoint::Unix(self.path(&format!("{side}.sock")));
        let mut client = Client::connect(&endpoint, OptNeg::VERSION_6).unwrap();
        client.open(&Origin::STRANGER).unwrap();
        client
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn end(&mut self) -> std::process::ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        let child = self.child.as_mut().unwrap();
        let status = until("its end", || child.try_wait().unwrap());
        self.child = None;
        status
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap_or(());
            drop(child.wait());
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_runs_reloads_counts_and_ends() {
    let port = free_port();
    let metrics = format!("metrics.listen = \"127.0.0.1:{port}\"");
    let mut daemon = Daemon::new(&metrics);
    daemon.start();
    assert!(get(port, "/healthz").starts_with("HTTP/1.1 200 OK"));
    assert!(get(port, "/").starts_with("HTTP/1.1 404"));

    let (to, content) = (["<bob@recv.example>"], letter("ann@good.example", ""));
    let delivered = Delivered::of(&mut daemon.connect("ingress"), &to, &[], &content);
    assert_eq!(delivered.verified().result_reason_level(), ["missing", "policy.expected_missing", "0"]);
    let line = daemon.logged("4bTEST");
    for word in ["\"direction\":\"ingress\"", "\"result\":\"missing\"", "\"spoof\":\"yes\"", "good.example"] {
        assert!(line.contains(word), "{word} in {line}");
    }
    assert!(!line.contains("someone"), "no addresses unless they are wanted: {line}");
    let figures = get(port, "/metrics");
    for figure in [
        "zi2_messages_total{direction=\"ingress\",result=\"missing\"} 1",
        "zi2_verifications_total{result=\"missing\",reason=\"policy.expected_missing\",level=\"0\",key_source=\"none\"} 1",
        "zi2_milter_connections_taken_total{listener=\"ingress\"} 1",
        "zi2_config_last_reload_success 1",
    ] {
        assert!(figures.contains(figure), "{figure} in\n{figures}");
    }
    assert!(figures.trim_end().ends_with("# EOF"));

    daemon.configure(&format!("{metrics}\ningress.mood = 1"));
    daemon.signal(rustix::process::Signal::HUP);
    assert!(daemon.logged("not reloaded").contains("mood"));
    assert!(get(port, "/metrics").contains("zi2_config_last_reload_success 0"));
    let delivered = Delivered::of(&mut daemon.connect("ingress"), &to, &[], &content);
    assert_eq!(delivered.verified().get("result"), "missing", "as before");

    daemon.configure(&format!("{metrics}\ningress.mode = \"monitor\"\nlimits.connections = 7"));
    daemon.signal(rustix::process::Signal::HUP);
    daemon.logged("reloaded: ");
    assert!(daemon.logged("next start").contains("[limits]"));
    let delivered = Delivered::of(&mut daemon.connect("ingress"), &to, &[], &content);
    assert_eq!(delivered.octets, content, "monitor mode");
    assert!(daemon.end().success());
    assert!(daemon.path("zi2.db").exists() && !daemon.path("ingress.sock").exists());
}

#[test]
fn it_certifies_with_the_key_of_the_month() {
    let mut daemon = Daemon::new("metrics.listen = \"\"");
    let key = daemon.path("keys/zi2-cert-2026-01.key");
    write_key(&key, 0o400);
    daemon.start();
    assert!(daemon.logged("certifies with this key").contains("zi2-cert-2026-01"));
    let login = [("{auth_authen}", "ann@good.example")];
    let content = letter("ann@good.example", "");
    let delivered = Delivered::of(&mut daemon.connect("egress"), &["<bob@recv.example>"], &login, &content);
    assert!(delivered.fields("X-ZI2-Certified")[0].contains("kid=zi2-cert-2026-01"));
    let log = std::fs::read_to_string(daemon.path("log")).unwrap();
    let secret = zi2_sig_seed_text();
    assert!(!log.contains(&secret), "no key in the log");
    assert!(daemon.end().success());
}

fn zi2_sig_seed_text() -> String {
    std::str::from_utf8(SEED).unwrap().trim().to_owned()
}

/// A raw seed in base64, one of the forms of a key file.
const SEED: &[u8] = b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n";

fn write_key(path: &Path, mode: u32) {
    std::fs::write(path, SEED).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
}

#[test]
fn what_keeps_it_from_starting_has_a_reason_and_a_code() {
    let text = |output: &Output| String::from_utf8(output.stderr.clone()).unwrap();
    let exposed = Daemon::new("metrics.listen = \"\"");
    write_key(&exposed.path("keys/zi2-cert-2026-01.key"), 0o644);
    let output = exposed.command().output().unwrap();
    assert_eq!(output.status.code(), Some(77), "{}", text(&output));
    assert!(text(&output).contains("chmod"), "{}", text(&output));
    assert!(!exposed.path("ingress.sock").exists(), "it took no mail");

    let garbage = Daemon::new("metrics.listen = \"\"");
    std::fs::write(garbage.path("zi2.db"), b"this is no store, and nobody's to overwrite").unwrap();
    let output = garbage.command().output().unwrap();
    assert_eq!(output.status.code(), Some(69), "{}", text(&output));
    assert!(std::fs::read(garbage.path("zi2.db")).unwrap().starts_with(b"this is no store"));

    let typo = Daemon::new("replay.mode = \"flagg\"");
    let output = typo.command().output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    assert!(text(&output).contains("did you mean flag?"), "{}", text(&output));

    let usage = Command::new(env!("CARGO_BIN_EXE_zi2d")).arg("mliter").output().unwrap();
    assert_eq!(usage.status.code(), Some(64), "{}", text(&usage));
}

#[test]
fn a_check_changes_nothing() {
    let daemon = Daemon::new("metrics.listen = \"\"");
    let before = std::fs::read_dir(daemon.folder.path()).unwrap().count();
    let output = daemon.command().arg("--check").output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("there is no key") && text.contains("all right"), "{text}");
    assert_eq!(std::fs::read_dir(daemon.folder.path()).unwrap().count(), before);
}

#[test]
fn a_second_one_does_not_take_the_sockets_of_the_first() {
    let mut daemon = Daemon::new("metrics.listen = \"\"");
    daemon.start();
    let output = daemon.command().output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    let content = letter("ann@elsewhere.example", "");
    let delivered = Delivered::of(&mut daemon.connect("ingress"), &["<bob@recv.example>"], &[], &content);
    assert_eq!(delivered.answer.answered, Answered::Continue);
    // After kill -9 the socket file is there and nobody listens: the next one takes it.
    daemon.child.as_mut().unwrap().kill().unwrap();
    daemon.child.take().unwrap().wait().unwrap();
    std::fs::remove_file(daemon.path("log")).unwrap();
    daemon.start();
    let delivered = Delivered::of(&mut daemon.connect("ingress"), &["<bob@recv.example>"], &[], &content);
    assert_eq!(delivered.answer.answered, Answered::Continue);
    assert!(daemon.end().success());
}

/// The memory of a connection has nothing to do with the size of a message.
#[test]
fn a_message_of_100_mebibytes_leaves_no_trace() {
    let mut daemon = Daemon::new("metrics.listen = \"\"");
    write_key(&daemon.path("keys/zi2-cert-2026-01.key"), 0o400);
    daemon.start();
    let (to, login) = (["<bob@recv.example>"], [("{auth_authen}", "ann@good.example")]);
    let mut content = letter("ann@good.example", "");
    let lines = |octets: usize| [&[b'x'; 76][..], b"\r\n"].concat().repeat(octets / 78);
    content.extend(lines(1024 * 1024));
    let mut client = daemon.connect("egress");
    let small = Delivered::of(&mut client, &to, &login, &content);
    assert_eq!(small.fields("X-ZI2-Certified").len(), 1);
    let before = peak(&daemon);
    content.extend(lines(100 * 1024 * 1024));
    let large = Delivered::of(&mut client, &to, &login, &content);
    assert_eq!(large.fields("X-ZI2-Certified").len(), 1);
    let grown = peak(&daemon).saturating_sub(before);
    assert!(grown <= 1024, "{grown} KiB more");
    assert!(daemon.end().success());
}

/// The highest resident memory so far, in KiB.
fn peak(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.as_ref().unwrap().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
