//! A rotation on disk: which key signs at each step, for one process at a time, and after kill -9 at every system call.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zi2_keys::{
    FileError, KeyPlace, Keyring, Queue, RecordPlace, RotationError, RotationFile, Seed, ServerAnswer, Stage, Survey,
    create,
};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};

/// 28 April 2026.
const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);
const DAY: u64 = 86_400;

fn april() -> Kid {
    Kid::of_month(2026, 4).unwrap()
}

fn may() -> Kid {
    Kid::of_month(2026, 5).unwrap()
}

fn june() -> Timestamp {
    Timestamp::of_month(2026, 6).unwrap()
}

fn with_april() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    create(directory.path(), april(), &Seed::from_octets(&std::array::from_fn(|at| at as u8)).unwrap()).unwrap();
    directory
}

fn open(directory: &Path) -> RotationFile {
    RotationFile::open(directory, None, NOW).unwrap()
}

/// The key that signs, long after both months came.
fn signs(directory: &Path) -> Option<Kid> {
    Keyring::load(directory, KeyPlace::Ours).unwrap().active(june(), None).map(|(kid, _)| kid)
}

fn held(directory: &Path) -> Vec<Kid> {
    Keyring::load(directory, KeyPlace::Ours).unwrap().public_keys().map(|(kid, _)| kid).collect()
}

fn everywhere(key: PublicKey) -> Survey {
    let text = KeyRecord { key: RecordKey::Live(key), kid: Some(may()), sid: None }.to_txt().into_bytes();
    let answer = ServerAnswer { server: "ns1".to_owned(), records: Ok(vec![text]), ttl: Duration::from_secs(60) };
    let mut survey = Survey::default();
    survey.add((&Domain::parse("example.com").unwrap(), RecordPlace::Draft), (may(), key), &[answer]);
    survey
}

/// The step that comes next, as a timer would take it; false when April is retired.
fn go_on(directory: &Path) -> bool {
    let mut file = open(directory);
    let key = Keyring::load(directory, KeyPlace::Ours).unwrap().public_keys().find(|(kid, _)| *kid == may());
    let survey = key.map(|(_, key)| everywhere(key)).unwrap_or_default();
    let (stage, april_is) =
        (file.rotation.get(may()).map(|entry| entry.stage), file.rotation.get(april()).unwrap().stage);
    match stage {
        None => drop(file.stage(may(), NOW).unwrap()),
        Some(Stage::Next) => file.rotation.publish(may(), NOW).unwrap(),
        Some(Stage::Published) => {
            let settled = file.rotation.get(may()).unwrap().settling.map_or(NOW, |settling| settling.until());
            file.rotation.prove(may(), &survey, settled).map(drop).unwrap();
        }
        Some(Stage::Proven) => file.rotation.activate(may(), &survey, NOW).unwrap(),
        Some(Stage::Active) if april_is == Stage::Retiring => {
            file.rotation.retire(april(), Queue::Empty, NOW.add_secs(7 * DAY)).unwrap();
        }
        _ => return false,
    }
    file.save().unwrap();
    true
}

#[test]
fn a_new_key_signs_when_it_is_active_and_not_before() {
    let directory = with_april();
    let path = directory.path();
    let mut seen = vec![signs(path)];
    while go_on(path) {
        seen.push(signs(path));
    }
    // stage, publish, prove twice, activate, retire
    let expected = [april(), april(), april(), april(), april(), may(), may()];
    assert_eq!(seen, expected.map(Some));
    assert_eq!(held(path), [may()], "a retired key is not held any longer");
    let ring = Keyring::load(path, KeyPlace::Ours).unwrap();
    assert!(ring.active(june(), Some(april())).is_none(), "nor when it is wanted");
}

#[test]
fn a_revoked_key_is_not_held() {
    let directory = with_april();
    let mut file = open(directory.path());
    assert_eq!(file.rotation.revoke(april(), NOW).unwrap(), None);
    file.save().unwrap();
    assert_eq!((signs(directory.path()), held(directory.path())), (None, vec![]));
}

#[test]
fn among_credentials_the_state_has_their_prefix() {
    let directory = with_april();
    let path = directory.path();
    open(path).stage(may(), NOW).unwrap();
    for name in ["zi2-cert-2026-04.key", "zi2-cert-2026-05.key", "rotation"] {
        std::fs::rename(path.join(name), path.join(format!("keys_{name}"))).unwrap();
    }
    let ring = Keyring::load(path, KeyPlace::Credentials).unwrap();
    assert_eq!(ring.active(june(), None).map(|(kid, _)| kid), Some(april()));
}

#[test]
fn one_process_at_a_time() {
    let directory = with_april();
    let held = open(directory.path());
    assert!(matches!(RotationFile::open(directory.path(), None, NOW), Err(RotationError::Locked(_))));
    drop(held);
    open(directory.path());
}

#[test]
fn a_spoiled_state_is_no_licence_for_the_newest_key() {
    let directory = with_april();
    open(directory.path()).stage(may(), NOW).unwrap();
    let state = directory.path().join("rotation");
    std::fs::remove_file(&state).unwrap();
    std::fs::write(&state, "zi2-cert-2026-04 active 1\n").unwrap();
    std::fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let refused = Keyring::load(directory.path(), KeyPlace::Ours);
    assert!(matches!(refused, Err(FileError::Rotation { .. })), "{refused:?}");
    std::fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    assert!(matches!(Keyring::load(directory.path(), KeyPlace::Ours), Err(FileError::Exposed { .. })));
}

/// Where the victim finds its keys.
const VICTIM: &str = "ZI2_ROTATION_VICTIM";

/// System calls that change a directory, in the words of strace, which counts each of them for itself.
const CHANGES: [&str; 7] = ["openat", "fchmod", "write", "fsync", "linkat", "renameat", "unlinkat"];

/// The program that dies: a whole rotation. Does nothing where it is not asked to.
#[test]
fn the_victim() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    while go_on(Path::new(&path)) {}
}

/// security.md K6: always one working key. `ZI2_SLOW=1` kills at every call, else at some.
#[test]
fn killed_at_any_call_it_goes_on_with_one_key() {
    if !Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("rotation: strace is missing (apt-get install strace): system calls are not swept");
        return;
    }
    let mut killed = 0;
    for call in CHANGES {
        let calls = calls_of(call);
        assert!(calls > 0, "{call} is not made");
        let step = if std::env::var_os("ZI2_SLOW").is_some() { 1 } else { calls.div_ceil(3) };
        // The last ones come first: the earliest are the loader's.
        for point in (1..=calls).rev().step_by(step) {
            killed += usize::from(kill_at(call, point));
        }
    }
    assert!(killed >= CHANGES.len(), "{killed} were killed");
    println!("rotation: killed {killed} times, and went on");
}

/// Calls of an undisturbed victim, in the thread that makes most of them: strace counts by thread.
fn calls_of(call: &str) -> usize {
    let whole = with_april();
    let log = whole.path().with_extension("calls");
    assert!(strace(whole.path(), &["-o", log.to_str().unwrap(), "-e", &format!("trace={call}")]));
    let calls = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    assert!(!go_on(whole.path()), "an undisturbed victim comes to its end");
    let mut threads: Vec<&str> = calls.lines().filter_map(|line| line.split_whitespace().next()).collect();
    threads.sort_unstable();
    threads.chunk_by(|a, b| a == b).map(<[&str]>::len).max().unwrap_or(0)
}

/// Kills a victim at one call; whatever was reached, one key signs, the state agrees, and the rest of the way is open.
fn kill_at(call: &str, point: usize) -> bool {
    let directory = with_april();
    let (path, what) = (directory.path(), format!("killed at {call} {point}"));
    let inject = format!("inject={call}:signal=KILL:when={point}");
    let is_killed = !strace(path, &["-o", "/dev/null", "-e", &inject]);
    let file = open(path);
    assert_eq!((file.rotation.active(), signs(path).is_some()), (signs(path), true), "{what}");
    drop(file);
    while go_on(path) {}
    assert_eq!((signs(path), held(path)), (Some(may()), vec![may()]), "{what}");
    assert!(path.join("zi2-cert-2026-05.pub").exists(), "{what}");
    is_killed
}

/// Whether the victim came to its end.
fn strace(path: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(arguments).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "rotation::the_victim", "--test-threads=1"]).env(VICTIM, path);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}
