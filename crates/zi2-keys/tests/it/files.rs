//! Key files: who may read them, and that none is ever lost.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{Gid, Mode, Uid};
use tempfile::TempDir;
use zi2_keys::{FileError, KeyPlace, Keyring, Seed, create, limits, replace};
use zi2_mail::Timestamp;
use zi2_sig::{Kid, SigningKey};

const NOW: Timestamp = Timestamp::from_secs(1_777_397_400); // 2026-04-28T17:30:00Z

fn kid(text: &str) -> Kid {
    Kid::parse(text).unwrap()
}

fn april() -> Kid {
    kid("zi2-cert-2026-04")
}

fn seed(octet: u8) -> Seed {
    Seed::from_octets(&[octet; 32]).unwrap()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory with April's key in it.
fn with_key() -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let written = create(directory.path(), april(), &seed(7)).unwrap();
    (directory, written.key_file)
}

#[test]
fn what_is_written_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let made = Seed::from_system().unwrap();
    let written = create(directory.path(), april(), &made).unwrap();
    assert_eq!(names(directory.path()), ["zi2-cert-2026-04.key", "zi2-cert-2026-04.pub"]);
    assert_eq!((mode_of(&written.key_file), mode_of(&written.public_file)), (0o400, 0o644));
    let public = made.public().unwrap();
    assert_eq!(written.public, public);
    assert_eq!(fs::read_to_string(&written.public_file).unwrap(), format!("{}\n", public.to_base64()));
    let ring = Keyring::load(directory.path(), KeyPlace::Ours).unwrap();
    assert_eq!(ring.public_keys().collect::<Vec<_>>(), [(april(), public)]);
    let ring = Keyring::load_file(&written.key_file, kid("zi2-cert-2020-01"), KeyPlace::Ours).unwrap();
    assert_eq!(ring.public_keys().collect::<Vec<_>>(), [(kid("zi2-cert-2020-01"), public)]);
}

#[test]
fn a_key_is_never_overwritten() {
    let (directory, key) = with_key();
    let before = fs::read(&key).unwrap();
    let again = create(directory.path(), april(), &seed(8));
    assert!(matches!(&again, Err(FileError::Exists { path }) if *path == key), "{again:?}");
    fs::rename(&key, directory.path().join("elsewhere")).unwrap(); // the public half alone is a key in use too
    assert!(matches!(create(directory.path(), april(), &seed(8)), Err(FileError::Exists { .. })));
    fs::rename(directory.path().join("elsewhere"), &key).unwrap();
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_eq!(names(directory.path()).len(), 2, "nothing is left behind");

    let link = tempfile::tempdir().unwrap();
    symlink("/nonexistent", link.path().join("zi2-cert-2026-04.key")).unwrap();
    assert!(matches!(create(link.path(), april(), &seed(8)), Err(FileError::Exists { .. })));
    assert_eq!(names(link.path()), ["zi2-cert-2026-04.key"]);
}

#[test]
fn replacing_keeps_the_old_key() {
    let (directory, key) = with_key();
    let before = fs::read(&key).unwrap();
    let written = replace(directory.path(), april(), &seed(8), NOW).unwrap();
    let kept = directory.path().join("zi2-cert-2026-04.key.replaced-2026-04-28T173000Z");
    assert_eq!(written.kept.as_ref(), Some(&kept));
    assert_eq!((fs::read(&kept).unwrap(), mode_of(&kept)), (before, 0o400));
    let ring = Keyring::load(directory.path(), KeyPlace::Ours).unwrap();
    assert_eq!(ring.public_keys().collect::<Vec<_>>(), [(april(), seed(8).public().unwrap())]);
    // Twice in one second: the copy would be overwritten, so nothing changes.
    assert!(matches!(replace(directory.path(), april(), &seed(9), NOW), Err(FileError::Exists { .. })));
    assert_eq!(
        Keyring::load(directory.path(), KeyPlace::Ours).unwrap().public_keys().next().unwrap().1,
        written.public
    );
    assert_eq!(names(directory.path()).len(), 3);

    let empty = tempfile::tempdir().unwrap();
    assert_eq!(replace(empty.path(), april(), &seed(8), NOW).unwrap().kept, None);
}

#[test]
fn modes() {
    let (directory, key) = with_key();
    for (bits, ours, credentials) in [
        (0o400, true, true),
        (0o600, true, true),
        (0o700, true, true),
        (0o440, false, true),
        (0o640, false, true),
        (0o460, false, false),
        (0o420, false, false),
        (0o410, false, true),
        (0o404, false, false),
        (0o402, false, false),
        (0o401, false, false),
        (0o444, false, false),
        (0o644, false, false),
        (0o666, false, false),
        (0o777, false, false),
    ] {
        mode(&key, bits);
        for (place, accepted) in [(KeyPlace::Ours, ours), (KeyPlace::Credentials, credentials)] {
            match Keyring::load(directory.path(), place) {
                Ok(_) => assert!(accepted, "{bits:o} {place:?}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!accepted && matches!(error, FileError::Exposed { .. }), "{bits:o} {place:?}: {text}");
                    assert!(text.contains(&format!("mode {bits:04o}")) && text.contains("owner uid"), "{text}");
                    assert!(text.ends_with(&format!("chmod 0400 {}", key.display())), "{text}");
                }
            }
        }
    }
}

#[test]
fn directories_others_may_write_to() {
    for (bits, accepted) in
        [(0o700, true), (0o755, true), (0o550, true), (0o770, false), (0o707, false), (0o1777, false), (0o720, false)]
    {
        let (directory, key) = with_key();
        mode(directory.path(), bits);
        let all = [
            Keyring::load(directory.path(), KeyPlace::Ours).err(),
            Keyring::load(directory.path(), KeyPlace::Credentials).err(),
            Keyring::load_file(&key, april(), KeyPlace::Ours).err(),
        ];
        for error in all {
            match error {
                None => assert!(accepted, "{bits:o}"),
                Some(error) => assert!(!accepted && error.to_string().contains("chmod go-w"), "{bits:o}: {error}"),
            }
        }
        if !accepted {
            assert!(matches!(
                create(directory.path(), kid("zi2-cert-2026-05"), &seed(1)),
                Err(FileError::Exposed { .. })
            ));
        }
        mode(directory.path(), 0o700);
    }
}

#[test]
fn owners() {
    let (directory, key) = with_key();
    let load = |place| Keyring::load(directory.path(), place).err();
    if !is_root() {
        // Only root can give files away. What is ours is accepted; that root's are is seen with a file of the system.
        assert!(load(KeyPlace::Ours).is_none());
        mode(&key, 0o000);
        let error = load(KeyPlace::Ours).unwrap();
        assert!(matches!(error, FileError::Unreadable { mode: 0, .. }), "{error}");
        assert!(error.to_string().ends_with(&format!("chmod 0400 {}", key.display())), "{error}");
        let error = Keyring::load_file(Path::new("/etc/passwd"), april(), KeyPlace::Ours).unwrap_err();
        assert!(matches!(error, FileError::Exposed { uid: 0, .. }), "{error}");
        return;
    }
    let give = |path: &Path, uid| rustix::fs::chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(uid))).unwrap();
    for uid in [0, 1, 65_534] {
        give(&key, uid);
        for place in [KeyPlace::Ours, KeyPlace::Credentials] {
            match load(place) {
                None => assert_eq!(uid, 0),
                Some(error) => {
                    let text = error.to_string();
                    assert!(uid != 0 && matches!(error, FileError::Owner { .. }), "{text}");
                    assert!(text.contains(&format!("uid {uid}")) && text.contains("mode 0400"), "{text}");
                    assert!(text.ends_with(&format!("chown 0 {}", key.display())), "{text}");
                }
            }
        }
    }
    give(&key, 0);
    give(directory.path(), 65_534);
    assert!(matches!(load(KeyPlace::Ours), Some(FileError::Owner { .. })), "whoever owns the directory can swap keys");
    assert!(matches!(create(directory.path(), kid("zi2-cert-2026-05"), &seed(1)), Err(FileError::Owner { .. })));
}

#[test]
fn what_is_no_regular_file() {
    let (directory, key) = with_key();
    let put = |make: &dyn Fn(&Path)| {
        let path = directory.path().join("zi2-cert-2026-05.key");
        make(&path);
        let error = Keyring::load(directory.path(), KeyPlace::Ours).unwrap_err();
        if path.is_dir() {
            fs::remove_dir(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
        error
    };
    let link = put(&|path| symlink(&key, path).unwrap());
    assert!(
        matches!(link, FileError::Symlink { .. }) && link.to_string().contains("2026-05.key is a symbolic link"),
        "{link}"
    );
    assert!(matches!(put(&|path| symlink("/nonexistent", path).unwrap()), FileError::Symlink { .. }));
    assert!(matches!(put(&|path| fs::create_dir(path).unwrap()), FileError::NotAFile { .. }));
    let socket = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    assert!(matches!(put(&socket), FileError::NotAFile { .. }));
    let pipe = |path: &Path| {
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    };
    assert!(matches!(put(&pipe), FileError::NotAFile { .. }), "and nobody waited for a writer");
    assert!(matches!(put(&|path| write(path, &[b'A'; 5000])), FileError::TooLarge { octets: 5000, .. }));
    assert!(matches!(put(&|path| write(path, b"")), FileError::Content { .. }));
    assert!(matches!(put(&|path| write(path, b"not a key")), FileError::Content { .. }));
    assert!(
        Keyring::load(&directory.path().join("none"), KeyPlace::Ours)
            .unwrap_err()
            .to_string()
            .starts_with("cannot open")
    );
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    mode(path, 0o400);
}

#[test]
fn names_that_are_no_key_are_not_looked_at() {
    let (directory, key) = with_key();
    for other in ["README", "zi2-cert-2026-13.key", "zi2-cert-2026-04.key.replaced-x", ".zi2-cert-2026-05.key", "x.key"]
    {
        fs::write(directory.path().join(other), "not a key").unwrap();
    }
    assert_eq!(Keyring::load(directory.path(), KeyPlace::Ours).unwrap().public_keys().count(), 1);
    // systemd: LoadCredential=keys:/etc/zi2/keys makes keys_<name> of each file
    fs::rename(&key, directory.path().join("keys_zi2-cert-2026-04.key")).unwrap();
    assert_eq!(Keyring::load(directory.path(), KeyPlace::Ours).unwrap().public_keys().count(), 0);
    let credentials = Keyring::load(directory.path(), KeyPlace::Credentials).unwrap();
    assert_eq!(credentials.public_keys().map(|(kid, _)| kid).collect::<Vec<_>>(), [april()]);
}

#[test]
fn the_number_of_keys_has_a_bound() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..65_u8 {
        write(&directory.path().join(format!("zi2-cert-{:04}-01.key", 2000 + u16::from(n))), &[n; 32]);
    }
    assert!(matches!(Keyring::load(directory.path(), KeyPlace::Ours), Err(FileError::TooMany { .. })));
    fs::remove_file(directory.path().join("zi2-cert-2000-01.key")).unwrap();
    assert_eq!(Keyring::load(directory.path(), KeyPlace::Ours).unwrap().public_keys().count(), 64);
}

#[test]
fn the_number_of_entries_has_a_bound() {
    let (directory, _) = with_key();
    let other = |n: usize| fs::write(directory.path().join(format!("{n}")), "").unwrap();
    (names(directory.path()).len()..limits::DIRECTORY_ENTRIES).for_each(other);
    assert_eq!(Keyring::load(directory.path(), KeyPlace::Ours).unwrap().public_keys().count(), 1);
    other(limits::DIRECTORY_ENTRIES);
    assert!(matches!(Keyring::load(directory.path(), KeyPlace::Ours), Err(FileError::TooMany { .. })));
}

#[test]
fn the_key_to_sign_with() {
    let ring_of = |kids: &[&str]| {
        let directory = tempfile::tempdir().unwrap();
        for (n, text) in (1..).zip(kids) {
            create(directory.path(), kid(text), &seed(n)).unwrap();
        }
        Keyring::load(directory.path(), KeyPlace::Ours).unwrap()
    };
    let mut ring = ring_of(&["zi2-cert-2025-12", "zi2-cert-2026-04", "zi2-cert-2026-05"]);
    let active = |wanted: Option<&str>, now| ring.active(now, wanted.map(kid)).map(|(kid, _)| kid.to_string());
    assert_eq!(active(None, NOW).as_deref(), Some("zi2-cert-2026-04"));
    assert_eq!(active(None, NOW.add_secs(3 * 86_400)).as_deref(), Some("zi2-cert-2026-05"));
    assert_eq!(active(None, NOW.sub_secs(60 * 86_400)).as_deref(), Some("zi2-cert-2025-12"));
    assert_eq!(active(None, NOW.sub_secs(400 * 86_400)), None);
    assert_eq!(active(Some("zi2-cert-2026-05"), NOW).as_deref(), Some("zi2-cert-2026-05"), "wanted wins over the date");
    assert_eq!(active(Some("zi2-cert-2024-01"), NOW), None, "and is not replaced by another");
    assert!(Keyring::empty().active(NOW, None).is_none());

    let before = ring.public_keys().collect::<Vec<_>>();
    ring.extend(ring_of(&["zi2-cert-2026-05", "zi2-cert-2026-06"]));
    let after = ring.public_keys().collect::<Vec<_>>();
    assert_eq!((&after[..3], after.len()), (&before[..], 4));
}

#[test]
fn no_text_holds_a_seed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zi2-cert-2026-04.key");
    let secret = [0x5a; 32];
    let pem = zi2_sig::pkcs8_pem(&secret);
    let base64 = pem.lines().nth(1).unwrap().to_owned();
    let forms = ["WlpaWlpa", "5a5a5a5a", "5A5A5A5A", "90, 90, 90", "ZZZZZZZZ", &base64];
    let mut texts = Vec::new();
    write(&path, &secret);
    texts.push(format!("{:?}", Keyring::load(directory.path(), KeyPlace::Ours).unwrap()));
    assert_eq!(
        SigningKey::parse_file(&secret).unwrap().public(),
        Seed::from_octets(&secret).unwrap().public().unwrap()
    );
    // The seed with one octet more, a broken PEM of it, and its file with a bad mode.
    for (content, bits) in [
        ([&secret[..], &[0x5a]].concat(), 0o400),
        (pem.replace("MC4C", "AAAA").into_bytes(), 0o400),
        (secret.to_vec(), 0o644),
    ] {
        fs::remove_file(&path).unwrap();
        write(&path, &content);
        mode(&path, bits);
        let error = Keyring::load(directory.path(), KeyPlace::Ours).unwrap_err();
        texts.extend([format!("{error}"), format!("{error:?}")]);
    }
    let written = replace(directory.path(), april(), &Seed::from_octets(&secret).unwrap(), NOW).unwrap();
    texts.push(format!("{written:?}"));
    texts.push(format!("{:?}", create(directory.path(), april(), &Seed::from_octets(&secret).unwrap())));
    for text in &texts {
        assert!(!forms.iter().any(|form| text.contains(form)), "{text}");
    }
}
