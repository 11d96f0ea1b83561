//! `verify` over files and directories: what counts as a message, in which order, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use said::{Said, bare_host, cases, vectors, zi2_cert, zi2_cert_on};
use tempfile::TempDir;
use zi2_cert::{Exit, Surface};

/// A folder with the world of the first vector, and messages that pass in it.
struct Folder {
    dir: TempDir,
    world: String,
    pass: Vec<u8>,
}

impl Folder {
    fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        let case = cases().into_iter().find(|case| case["name"] == "pass-combined").unwrap();
        let world = dir.path().join("world.json");
        let mut env = case["env"].clone();
        env["dns"]["_zi2cert.silent.example"] = serde_json::json!({"status": "SERVFAIL"});
        fs::write(&world, env.to_string()).unwrap();
        let pass = fs::read(vectors().join(case["message"].as_str().unwrap())).unwrap();
        Folder { dir, world: world.to_str().unwrap().to_owned(), pass }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, octets: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, octets).unwrap();
    }

    fn message(&self, name: &str) {
        self.file(name, &self.pass);
    }

    fn verify(&self, arguments: &[&str], names: &[&str]) -> Said {
        let paths: Vec<String> = names.iter().map(|name| self.path(name).to_str().unwrap().to_owned()).collect();
        let common = ["verify", "--world", &self.world];
        let all: Vec<&str> = common.iter().chain(arguments).copied().chain(paths.iter().map(String::as_str)).collect();
        zi2_cert(&all)
    }

    fn files(&self, said: &Said) -> Vec<String> {
        let lines = said.json_lines();
        let name = |line: &serde_json::Value| {
            let file = Path::new(line["file"].as_str().unwrap());
            file.strip_prefix(self.dir.path()).unwrap().to_str().unwrap().to_owned()
        };
        lines.iter().map(name).collect()
    }
}

#[test]
fn messages_below_directories_in_the_order_of_names() {
    let folder = Folder::new();
    for name in ["in/b.EML", "in/a.eml", "in/sub/c.eml", "in/box/new/2.host", "in/box/cur/1.host:2,S", "in/.eml/d.eml"]
    {
        folder.message(name);
    }
    folder.message("in/box/.Sent/new/3");
    fs::create_dir_all(folder.path("in/box/.Sent/cur")).unwrap();
    for other in ["in/note.txt", "in/.eml/.eml", "in/box/tmp/4.host", "in/box/cur/.hidden", "in/box/dovecot-uidlist"] {
        folder.message(other);
    }
    folder.message("out/secret.eml");
    symlink(folder.path("out/secret.eml"), folder.path("in/link.eml")).unwrap();
    symlink(folder.path("out"), folder.path("in/out")).unwrap();
    symlink(folder.path("in"), folder.path("in/sub/loop")).unwrap();

    let said = folder.verify(&["--jsonl"], &["in"]);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    let found = [
        "in/.eml/d.eml",
        "in/a.eml",
        "in/b.EML",
        "in/box/.Sent/new/3",
        "in/box/cur/1.host:2,S",
        "in/box/new/2.host",
        "in/sub/c.eml",
    ];
    assert_eq!(folder.files(&said), found);
    assert!(said.err.contains("symbolic links were not followed: 3\n"), "{}", said.err);

    let said = folder.verify(&["--jsonl"], &["in/sub", "in/box/cur", "in/a.eml"]);
    assert_eq!(folder.files(&said), ["in/sub/c.eml", "in/box/cur/1.host:2,S", "in/a.eml"]);
    // a link that is named is meant
    assert_eq!(folder.verify(&["--jsonl"], &["in/link.eml", "in/out"]).json_lines().len(), 2);
}

#[test]
fn the_highest_exit_code_of_all() {
    let folder = Folder::new();
    folder.message("pass.eml");
    let other = |from: &str, to: &str| String::from_utf8(folder.pass.clone()).unwrap().replace(from, to);
    folder.file("negative.eml", other("Subject: ", "Subject: not "));
    folder
        .file("temporary.eml", other("@example.com>", "@silent.example>").replace("d=example.com", "d=silent.example"));
    folder.file("malformed.eml", "no message\n");
    for (names, exit) in [
        (&["pass.eml", "pass.eml"][..], Exit::Ok),
        (&["pass.eml", "negative.eml"], Exit::Negative),
        (&["malformed.eml", "negative.eml", "pass.eml"], Exit::Data),
        (&["absent.eml", "malformed.eml", "negative.eml"], Exit::NoInput),
        (&["absent.eml", "temporary.eml", "malformed.eml", "negative.eml", "pass.eml"], Exit::TempFail),
    ] {
        for show in [&[][..], &["--jsonl"]] {
            assert_eq!(folder.verify(show, names).exit, exit, "{names:?}: {}", folder.verify(show, names).out);
        }
    }
    for (arguments, names) in [(&["--json"][..], &["pass.eml", "pass.eml"][..]), (&["--explain"], &["."])] {
        assert_eq!(folder.verify(arguments, names).exit, Exit::Usage, "{arguments:?}");
    }
    assert_eq!(zi2_cert(&["verify", "-", "x.eml"]).exit, Exit::Usage);
    fs::create_dir(folder.path("empty")).unwrap();
    assert_eq!(folder.verify(&[], &["empty"]).exit, Exit::NoInput, "nothing verified is not a pass");
}

#[test]
fn a_line_is_the_object_of_the_message_alone() {
    let folder = Folder::new();
    let directory = vectors();
    let directory = directory.to_str().unwrap();
    let all = zi2_cert(&["verify", "--world", &folder.world, "--jsonl", directory]);
    let lines = all.json_lines();
    assert!(lines.len() >= 202, "{}", lines.len());
    for mut line in lines {
        let file = line.as_object_mut().unwrap().remove("file").unwrap();
        let alone = zi2_cert(&["verify", "--world", &folder.world, "--json", file.as_str().unwrap()]);
        assert_eq!(alone.json(), line, "{file}");
    }
    let again = zi2_cert(&["verify", "--world", &folder.world, "--jsonl", directory]);
    assert_eq!(all.out, again.out, "the order is always the same");

    folder.file("malformed.eml", "no message\n");
    folder.message("pass.eml");
    let explained = folder.verify(&["--jsonl", "--explain"], &["malformed.eml", "pass.eml"]).json_lines();
    assert!(explained[0]["explain"].is_null() && explained[1]["explain"].as_array().unwrap().len() > 10);
    let said = folder.verify(&["--jsonl"], &["malformed.eml", "pass.eml"]);
    let lines = said.json_lines();
    let keys = |line: &serde_json::Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(keys(&lines[1]).iter().all(|key| keys(&lines[0]).contains(key)), "{}", said.out);
    assert_eq!((&lines[0]["zi2"], &lines[0]["error"]["exit"]), (&serde_json::Value::Null, &65.into()));
}

#[test]
fn rows_and_a_summary() {
    let folder = Folder::new();
    folder.message("in/a.eml");
    folder.message("in/\u{1b}[2J\u{202e}.eml");
    folder.file("in/z.eml", "no message\n");
    let said = folder.verify(&[], &["in"]);
    let lines: Vec<Vec<&str>> = said.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["RESULT", "LEVEL", "REASON", "FROM", "FILE"]);
    assert_eq!(lines[1][..4], ["pass", "1", "ok.dns", "example.com"]);
    assert_eq!(lines[3][..4], ["malformed", "-", "-", "-"]);
    let summary =
        [&["RESULT", "REASON", "MESSAGES"][..], &["pass", "ok.dns", "2"], &["malformed", "-", "1"], &["all", "3"]];
    assert_eq!(lines[5..], summary);
    assert!(said.out.contains("\\u{1b}[2J\\u{202e}.eml"), "{}", said.out);
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']) && !said.err.contains('\u{1b}'));
    assert!(folder.verify(&["--jsonl"], &["in"]).out.is_ascii(), "what a terminal obeys is escaped in JSON too");
    assert_eq!(folder.verify(&["-q"], &["in"]).out + &folder.verify(&["-q"], &["in"]).err, "");
}

#[test]
fn progress_is_for_people() {
    let folder = Folder::new();
    (0..3).for_each(|name| folder.message(&format!("in/{name}.eml")));
    for (out, err, term, is_live) in [
        (Surface::Other, Surface::Terminal, "xterm", true),
        (Surface::Other, Surface::Other, "xterm", false),
        (Surface::Terminal, Surface::Terminal, "xterm", false), // rows are progress enough
        (Surface::Other, Surface::Terminal, "dumb", false),
    ] {
        let mut host = bare_host();
        (host.out, host.err) = (out, err);
        host.environment.push(("TERM".into(), term.into()));
        let path = folder.path("in");
        let said = zi2_cert_on(host, &["verify", "--world", &folder.world, path.to_str().unwrap()]);
        assert_eq!(said.err.contains("\r1 of 3 messages"), is_live, "{:?}", said.err);
        assert_eq!(said.err.contains('\r'), is_live);
        assert!(said.err.lines().last().unwrap().contains("3 messages verified in "), "{:?}", said.err);
    }
}

#[test]
fn depth_is_bounded() {
    let folder = Folder::new();
    let deep = |levels: usize| format!("in/{}m.eml", "d/".repeat(levels));
    folder.message(&deep(zi2_cert::limits::DEPTH - 1));
    assert_eq!(folder.verify(&["--jsonl"], &["in"]).json_lines().len(), 1);
    folder.message(&deep(zi2_cert::limits::DEPTH));
    let said = folder.verify(&["--jsonl"], &["in"]);
    assert_eq!((said.exit, said.json_lines().len()), (Exit::NoInput, 1));
    assert!(said.err.contains("was not looked at: it lies 16 directories deep"), "{}", said.err);
}
