//! Messages that are kept: found at once and after a restart, within their bounds, and whole or not at all after kill -9.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zi2_mail::Timestamp;
use zi2_store::{Snapshot, SnapshotBounds, SnapshotFiles, SnapshotKey, Snapshots, StoreError, limits};

const NOW: u64 = 1_795_600_000;
const WIDE: SnapshotBounds = SnapshotBounds { count: 1000, octets: 1 << 30, expiry: Duration::from_secs(3600) };

fn key(number: u64) -> SnapshotKey {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    SnapshotKey::from_octets(key)
}

fn snapshot(number: u64, octets: usize) -> Snapshot {
    Snapshot {
        received: Timestamp::from_secs(NOW + number),
        mail_from: b"<a@example.com>".to_vec(),
        recipients: vec![b"<b@example.org>".to_vec()],
        section: format!("Subject: {number}\r\n").into_bytes(),
        body: vec![u8::try_from(number % 256).unwrap(); octets],
    }
}

fn opened(directory: &Path, bounds: SnapshotBounds) -> SnapshotFiles {
    SnapshotFiles::open(directory, bounds).unwrap()
}

fn there(files: &SnapshotFiles, numbers: std::ops::Range<u64>) -> Vec<u64> {
    let there: Vec<u64> = numbers.clone().filter(|number| files.read(key(*number)).is_some()).collect();
    assert!(numbers.clone().all(|number| files.holds(key(number)) == there.contains(&number)), "{there:?}");
    there
}

#[test]
fn bounded_in_number_octets_and_time_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let files = opened(folder.path(), SnapshotBounds { count: 4, ..WIDE });
    (0..6).for_each(|number| files.write(key(number), &snapshot(number, 100)).unwrap());
    assert_eq!(there(&files, 0..6), [2, 3, 4, 5], "the oldest go");
    files.write(key(5), &snapshot(5, 100)).unwrap();
    assert_eq!(files.size().0, 4, "the same again is one");
    let each = files.size().1 / 4;
    let files = opened(folder.path(), SnapshotBounds { octets: 2 * each, ..WIDE });
    assert_eq!(there(&files, 0..6), [4, 5]);
    files.tidy(Timestamp::from_secs(NOW + 4 + 3600));
    assert_eq!(there(&files, 0..6), [4, 5], "not older than the bound");
    files.tidy(Timestamp::from_secs(NOW + 5 + 3600));
    assert_eq!(there(&files, 0..6), [5]);
    let mode = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().permissions().mode());
    assert_eq!(mode.map(|mode| mode & 0o7777).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn other_files_stay_and_damaged_ones_are_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("snapshots");
    let files = opened(&directory, WIDE);
    files.write(key(1), &snapshot(1, 100)).unwrap();
    let path = fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
    let (whole, name) = (fs::read(&path).unwrap(), path.file_name().unwrap().to_str().unwrap().to_owned());
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(files.read(key(1)), None, "torn");
    fs::remove_file(&path).unwrap();
    fs::write(folder.path().join("elsewhere"), &whole).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert_eq!(files.read(key(1)), None, "a link of somebody else's");
    for name in ["README".to_owned(), format!("{name}.unfinished")] {
        fs::write(directory.join(name), b"x").unwrap();
    }
    drop(opened(&directory, WIDE));
    assert!(directory.join("README").exists() && !directory.join(format!("{name}.unfinished")).exists());
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(SnapshotFiles::open(&directory, WIDE), Err(StoreError::NotPrivate { .. })));
}

#[tokio::test]
async fn found_at_once_and_skipped_when_there_is_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::start(opened(folder.path(), WIDE)).unwrap();
    snapshots.keep(key(1), snapshot(1, 1000));
    assert!(snapshots.holds(key(1)) && !snapshots.holds(key(2)));
    assert_eq!(snapshots.find(key(1)).await.as_deref(), Some(&snapshot(1, 1000)));
    snapshots.flush().await;
    assert_eq!(snapshots.find(key(1)).await.as_deref(), Some(&snapshot(1, 1000)));
    assert_eq!(snapshots.find(key(2)).await, None);
    snapshots.keep(key(3), snapshot(3, limits::SNAPSHOT_OCTETS));
    let counted = snapshots.counters();
    assert_eq!((counted.kept, counted.skipped, counted.found, counted.missing, counted.files), (1, 1, 2, 1, 1));
}

/// Where the victim works; nobody sets it but the test below.
const VICTIM: &str = "ZI2_SNAPSHOT_VICTIM";

/// Not a test by itself: it writes until it is killed, and says what is written.
#[test]
fn victim() {
    let Some(directory) = std::env::var_os(VICTIM) else { return };
    let files = opened(Path::new(&directory), WIDE);
    let mut said = std::io::stderr().lock();
    for number in 0.. {
        files.write(key(number % 50), &snapshot(number, 100_000)).unwrap();
        writeln!(said, "written {number}").unwrap();
    }
}

#[test]
fn kill_9_leaves_whole_files_alone() {
    for round in 1..=4_usize {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture"])
            .env(VICTIM, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let written = lines.filter_map(|line| line.strip_prefix("written ")?.parse::<u64>().ok());
        let last = written.take(round * 23).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let files = opened(folder.path(), WIDE);
        for slot in 0..50 {
            let acknowledged = (0..=last).rev().find(|number| number % 50 == slot);
            let found = files.read(key(slot));
            assert_eq!(files.holds(key(slot)), found.is_some(), "{slot}: what is there can be read");
            let number = found.map(|snapshot| snapshot.received.secs() - NOW);
            assert!(number >= acknowledged, "{slot}: {number:?} instead of {acknowledged:?}");
        }
        let left = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        assert!(left.into_iter().all(|name| !name.ends_with(".unfinished")));
    }
}
