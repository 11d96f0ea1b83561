//! kill -9, a full disk and a failing one, at every system call that changes the file (security.md G18, G19, §4.4).
//!
//! This program runs itself again as the victim, which acknowledges each commit; then it looks whether all that was
//! acknowledged is there. `ZI2_SLOW=1` sweeps all points, `ZI2_SWEEP=n` at most n of them; otherwise a few are tried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod victim;
mod witness;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// System calls that change a file, in the words of strace.
const CHANGES: &str = "pwrite64,write,ftruncate,unlink,rename,fsync,fdatasync";

/// System calls that fail, and how.
const FAILURES: [(&str, &str); 4] =
    [("pwrite64", "ENOSPC"), ("pwrite64,ftruncate", "EIO"), ("fsync,fdatasync", "EIO"), (READS, "EIO")];

const READS: &str = "pread64";

fn main() -> ExitCode {
    if let Some(path) = std::env::var_os(victim::PATH) {
        return victim::run(Path::new(&path));
    }
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let size = Size::from_environment();
    if !has_strace() {
        println!("crash: strace is missing (apt-get install strace): system calls cannot be swept");
        killed_at_random(size.random);
        return if size.slow { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    for durability in ["grouped", "synced"] {
        killed_at_calls(durability, size.points);
        for (calls, error) in FAILURES {
            failed_at_calls(durability, calls, error, size.points);
        }
    }
    killed_at_random(size.random);
    if !size.slow {
        println!("crash: a few points of each sweep; all with ZI2_SLOW=1");
    }
    ExitCode::SUCCESS
}

/// How much is tried.
struct Size {
    slow: bool,
    points: Option<usize>,
    random: u64,
}

impl Size {
    fn from_environment() -> Size {
        let bound = std::env::var("ZI2_SWEEP").ok().map(|bound| bound.parse().expect("ZI2_SWEEP is a number"));
        match std::env::var_os("ZI2_SLOW") {
            Some(_) => Size { slow: true, points: bound, random: 20 },
            None => Size { slow: false, points: Some(5), random: 2 },
        }
    }
}

fn has_strace() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Kills the victim on entry to each call.
fn killed_at_calls(durability: &str, points: Option<usize>) {
    let mut killed = 0;
    let sweep = points_of(durability, CHANGES, points);
    for Point { call, number } in &sweep {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let what = format!("{durability}, killed at {call} {number}");
        let life = live(strace(&path, durability, call, &format!("signal=KILL:when={number}")));
        assert!(life.completed || !life.failed, "{what}: {life:?}");
        killed += usize::from(!life.completed);
        witness::examine(&path, &life.acknowledged, &what);
    }
    assert!(2 * killed > sweep.len(), "{durability}: only {killed} of {} were killed", sweep.len());
    println!("crash: {durability}: killed at {killed} of {} calls, nothing acknowledged was lost", sweep.len());
}

/// Lets each call fail once. The victim tries again, and must come to its end.
fn failed_at_calls(durability: &str, calls: &str, error: &str, points: Option<usize>) {
    let (mut surfaced, sweep) = (0, points_of(durability, calls, points));
    for Point { call, number } in &sweep {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let what = format!("{durability}, {error} at {call} {number}");
        let life = live(strace(&path, durability, call, &format!("error={error}:when={number}")));
        assert!(life.completed, "{what}: {life:?}");
        assert_eq!(life.acknowledged.len(), victim::DEEDS, "{what}");
        surfaced += usize::from(life.errors > 0);
        witness::examine(&path, &life.acknowledged, &what);
    }
    println!("crash: {durability}: {error} at {} calls of {calls}: {surfaced} were told, all recovered", sweep.len());
}

/// Kills a victim that never ends, after some milliseconds.
fn killed_at_random(rounds: u64) {
    let mut acknowledged = 0;
    for round in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut command = victim_of(&path, "grouped");
        let mut child = command.env(victim::ENDLESS, "1").stdout(Stdio::piped()).spawn().unwrap();
        // Reads beside the clock, so that a full pipe does not stop the victim.
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || Life::read(output));
        std::thread::sleep(Duration::from_millis(30 + round * 71 % 1500));
        child.kill().unwrap();
        child.wait().unwrap();
        let life = reader.join().unwrap();
        assert_eq!(life.errors, 0, "round {round}: {life:?}");
        acknowledged += life.acknowledged.len();
        witness::examine(&path, &life.acknowledged, &format!("killed at random, round {round}"));
    }
    println!("crash: killed at random {rounds} times, {acknowledged} acknowledged commits were all there");
}

/// The so-manieth call of one kind: strace counts each kind by itself.
struct Point {
    call: String,
    number: usize,
}

/// The calls to sweep: all of a whole life, or about so many spread over it, of each kind at least one.
fn points_of(durability: &str, calls: &str, bound: Option<usize>) -> Vec<Point> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let path = folder.path().join("store.db");
    let mut command = tracer(&path, calls);
    command.arg("-o").arg(&log).args(["-e", &format!("trace={calls}")]);
    let life = live(victim_by(command, &path, durability));
    assert!(life.completed && life.errors == 0, "an undisturbed life: {life:?}");
    // Counted by thread, as strace counts the calls it changes; the one that commits makes by far the most.
    let log = std::fs::read_to_string(&log).unwrap();
    let mut made: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in log.lines() {
        if let Some((thread, (call, _))) =
            line.split_once(' ').and_then(|(thread, rest)| Some((thread, rest.trim_start().split_once('(')?)))
        {
            *made.entry((call, thread)).or_default() += 1;
        }
    }
    let most =
        |call: &str| made.iter().filter(|((made, _), _)| *made == call).map(|(_, count)| *count).max().unwrap_or(0);
    let counts: Vec<(&str, usize)> =
        calls.split(',').map(|call| (call, most(call))).filter(|(_, count)| *count > 0).collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    let spread = |(call, count): &(&str, usize)| {
        let points = bound.map_or(*count, |bound| (bound * count / all.max(1)).clamp(1, *count));
        let numbers: Vec<usize> = (0..points).map(|point| 1 + point * count / points).collect();
        numbers.into_iter().map(|number| Point { call: (*call).to_owned(), number }).collect::<Vec<_>>()
    };
    counts.iter().flat_map(spread).collect()
}

fn victim_of(path: &Path, durability: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(victim::PATH, path).env(victim::DURABILITY, durability);
    command
}

fn victim_by(mut tracer: Command, path: &Path, durability: &str) -> Command {
    tracer.arg(std::env::current_exe().unwrap()).env(victim::PATH, path).env(victim::DURABILITY, durability);
    tracer
}

fn strace(path: &Path, durability: &str, calls: &str, fate: &str) -> Command {
    let mut command = tracer(path, calls);
    command.args(["-o", "/dev/null", "-e", &format!("inject={calls}:{fate}")]);
    victim_by(command, path, durability)
}

/// Reads are looked at only where they are of the store: the program's loader makes the same call.
fn tracer(path: &Path, calls: &str) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]);
    if calls == READS {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut file = path.as_os_str().to_owned();
            file.push(end);
            command.arg("-P").arg(file);
        }
    }
    command
}

/// What a victim said before its end.
#[derive(Debug, Default)]
struct Life {
    acknowledged: Vec<usize>,
    errors: usize,
    completed: bool,
    /// It ended by itself, and not well.
    failed: bool,
}

impl Life {
    fn read(output: impl std::io::Read) -> Life {
        let mut life = Life::default();
        // The last line may be cut by the kill.
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("done", number)) => life.acknowledged.push(number.parse().unwrap()),
                Some(("error", _)) => life.errors += 1,
                _ => {}
            }
        }
        life
    }
}

fn live(mut command: Command) -> Life {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let life = Life::read(child.stdout.take().unwrap());
    let status = child.wait().unwrap();
    Life { completed: status.success(), failed: status.code().is_some_and(|code| code != 0 && code != 137), ..life }
}
