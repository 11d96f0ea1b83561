//! DKIM key files: made, read back, and refused where others could use them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;
use zi2_keys::{
    DkimKind, FileError, KeyPlace, NewDkimKey, check_dkim_table, create_dkim, limits, load_dkim, load_dkim_file,
    replace_dkim,
};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::dkim::Selector;

const NOW: Timestamp = Timestamp::from_secs(1_777_397_400); // 2026-04-28T17:30:00Z
const ED: &str = include_str!("../../../zi2-sig/tests/dkim/keys/ed25519-pkcs8.pem");
const SHORT: &str = include_str!("../../../zi2-sig/tests/dkim/keys/rsa2047-pkcs8.pem");

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn selector(name: &str) -> Selector {
    Selector::parse(name).unwrap()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A directory with these files, of mode 0400.
fn with(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        mode(&path, 0o400);
    }
    directory
}

fn names(directory: &Path, place: KeyPlace) -> Vec<String> {
    let keys = load_dkim(directory, place).unwrap();
    keys.iter().map(|key| format!("{}/{}", key.domain, key.selector)).collect()
}

#[test]
fn what_is_written_is_read_back_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let (home, example) = (directory.path(), domain("example.com"));
    for (kind, name, text) in [(DkimKind::Rsa, "r", "k=rsa; p=MIIB"), (DkimKind::Ed25519, "e", "k=ed25519; p=")] {
        let key = NewDkimKey::generate(kind).unwrap();
        let path = create_dkim(home, &example, &selector(name), &key).unwrap();
        assert_eq!(path, home.join("example.com").join(format!("{name}.pem")));
        let of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((of(&path), of(path.parent().unwrap())), (0o400, 0o700));
        assert_eq!(load_dkim_file(&path).unwrap().record(), key.record());
        assert!(key.record().starts_with(&format!("v=DKIM1; {text}")), "{}", key.record());
        let again = create_dkim(home, &example, &selector(name), &NewDkimKey::generate(DkimKind::Ed25519).unwrap());
        assert!(matches!(again, Err(FileError::Exists { .. })));
        assert_eq!(load_dkim_file(&path).unwrap().record(), key.record());
    }
    assert_eq!(names(home, KeyPlace::Ours), ["example.com/e", "example.com/r"]);
    let next = NewDkimKey::generate(DkimKind::Ed25519).unwrap();
    let (path, kept) = replace_dkim(home, &example, &selector("e"), &next, NOW).unwrap();
    assert_eq!(load_dkim_file(&path).unwrap().record(), next.record());
    assert_eq!(kept.unwrap(), home.join("example.com/e.pem.replaced-2026-04-28T173000Z"));
    assert_eq!(names(home, KeyPlace::Ours), ["example.com/e", "example.com/r"], "the copy does not sign");
}

#[test]
fn other_names_are_not_looked_at() {
    let directory = with(&[
        ("b.example/s2.pem", ED),
        ("b.example/s1.pem", ED),
        ("b.example/s1.txt", "no key"),
        ("b.example/.s3.pem", "no key"),
        ("README", "no directory"),
        ("c.example", "a file"),
        ("not a domain/s.pem", "no key"),
    ]);
    assert_eq!(names(directory.path(), KeyPlace::Ours), ["b.example/s1", "b.example/s2"]);
}

#[test]
fn credentials_of_systemd_carry_the_folders_in_their_names() {
    let directory = with(&[
        ("dkim_b.example_s_1.pem", ED),
        ("dkim_a.example_x.pem", ED),
        ("keys_zi2-cert-2026-04.key", "another kind"),
        ("x.pem", "no domain"),
    ]);
    mode(&directory.path().join("dkim_a.example_x.pem"), 0o440);
    assert_eq!(names(directory.path(), KeyPlace::Credentials), ["a.example/x", "b.example/s_1"]);
}

#[test]
fn what_others_could_use_is_refused() {
    let load = |directory: &TempDir| load_dkim(directory.path(), KeyPlace::Ours).map(|keys| keys.len());
    let directory = with(&[("b.example/s.pem", ED)]);
    let (folder, key) = (directory.path().join("b.example"), directory.path().join("b.example/s.pem"));
    for (path, bad, good) in [(&key, 0o440, 0o400), (&key, 0o604, 0o600), (&folder, 0o770, 0o755)] {
        mode(path, bad);
        let error = load(&directory).unwrap_err();
        assert!(matches!(&error, FileError::Exposed { path: found, .. } if found == path), "{error}");
        assert!(error.to_string().contains("do: chmod"), "{error}");
        mode(path, good);
        assert_eq!(load(&directory).unwrap(), 1);
    }
    mode(&key, 0o444);
    assert!(matches!(check_dkim_table(&key), Err(FileError::Exposed { .. })));
    mode(&key, 0o600);
    assert!(check_dkim_table(&key).is_ok());
    symlink(&folder, directory.path().join("c.example")).unwrap();
    assert!(matches!(load(&directory), Err(FileError::Symlink { .. })));
    fs::remove_file(directory.path().join("c.example")).unwrap();
    symlink(&key, folder.join("t.pem")).unwrap();
    assert!(matches!(load(&directory), Err(FileError::Symlink { .. })));
}

#[test]
fn what_is_no_key_is_refused_with_its_remedy() {
    for (content, wanted) in [
        (
            SHORT,
            "the RSA key has 2047 bits; sign with 2048 or more (RFC 8301); make another key under another selector: zi2-cert \
                 keygen --dkim --rsa",
        ),
        ("x", "the file is neither a PEM nor an Ed25519 seed"),
    ] {
        let directory = with(&[("b.example/s.pem", content)]);
        let error = load_dkim(directory.path(), KeyPlace::Ours).err().unwrap().to_string();
        assert_eq!(error, format!("{}: {wanted}", directory.path().join("b.example/s.pem").display()));
    }
}

#[test]
fn so_many_keys_of_a_domain_and_no_more() {
    let files: Vec<String> = (0..=limits::DKIM_KEYS).map(|number| format!("b.example/s{number}.pem")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), ED)).collect();
    assert_eq!(names(with(&files[1..]).path(), KeyPlace::Ours).len(), limits::DKIM_KEYS);
    let error = load_dkim(with(&files).path(), KeyPlace::Ours).err().unwrap();
    assert!(matches!(error, FileError::TooManyDkim { .. }), "{error}");
}
