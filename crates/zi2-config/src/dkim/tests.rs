use std::path::Path;

use super::*;
use crate::limits;

/// The seed of an Ed25519 key in base64.
const SEED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn read(keys: &str, signing: &str, matching: Matching) -> (DkimTables, String, String) {
    let hosted = ["example.com", "sub.example.com", "b.example"].map(|name| Domain::parse(name).unwrap());
    let (key_path, signing_path) = (Arc::from(Path::new("/keys")), Arc::from(Path::new("/signing")));
    let texts = TableTexts { keys: (&key_path, keys), signing: (&signing_path, signing, matching) };
    let mut problems = Problems::none();
    let (tables, notices) = DkimTables::read(&texts, &HostedDomains::new(hosted), &mut problems);
    let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    (tables, problems.to_string(), notices.join("\n"))
}

/// Selectors, with `i=` where there is one.
fn chosen(tables: &DkimTables, from: &str) -> String {
    let shown = |choice: DkimChoice| {
        let selector = tables.keys()[choice.key].selector.to_string();
        choice.agent.map_or(selector.clone(), |agent| format!("{selector}+{}", agent.quoted()))
    };
    let from = zi2_mail::parse_from(from.as_bytes()).unwrap();
    tables.choices(&from).into_iter().map(shown).collect::<Vec<_>>().join(" ")
}

const KEYS: &str = "\
# a comment
main    example.com:main:/keys/main   # and one behind
rsa     example.com:rsa:/keys/rsa
ed      example.com:ed:/keys/ed
sub     sub.example.com:sub:/keys/sub
any     %:any:/keys/%/any.pem
b.example  b.example:b:/keys/b
";

#[test]
fn wildcards_match_in_their_order_and_each_key_signs_once() {
    let table = "\
        ceo@example.com   main:ceo@example.com\n\
        *@EXAMPLE.com     rsa:@%\n\
        *@example.com     ed\n\
        *@*.example.com   rsa:x@sub.example.com\n\
        *                 rsa\n\
        *@b.example       %\n\
        *@b.example       any\n";
    let (tables, problems, notices) = read(KEYS, table, Matching::Wildcards);
    assert_eq!((problems.as_str(), notices.as_str()), ("", ""));
    for (from, wanted) in [
        ("ceo@example.com", "main+ceo@example.com rsa+@example.com ed"),
        ("Ann@Example.COM", "rsa+@example.com ed"),
        ("ann@sub.example.com", "rsa+x@sub.example.com"),
        ("ann@b.example", "b any"),
        ("ann@elsewhere.example", ""), // `*` matches, but the key is of another domain
    ] {
        assert_eq!(chosen(&tables, from), wanted, "{from}");
    }
}

#[test]
fn names_are_looked_up_from_the_closest_to_the_widest() {
    let table = "\
        *                     main\n\
        .example.com          rsa\n\
        ann@.example.com      ed\n\
        sub.example.com       sub\n\
        ceo@example.com       ed:b@other.example\n\
        ceo@example.com       rsa\n\
        b.example             %\n";
    let (tables, problems, notices) = read(KEYS, table, Matching::Names);
    assert_eq!((problems.as_str(), notices.as_str()), ("", ""));
    for (from, wanted) in [
        ("ceo@example.com", "ed rsa main"), // i= of another domain is left out
        ("ann@sub.example.com", "sub ed rsa main"),
        ("bob@sub.example.com", "sub rsa main"),
        ("bob@b.example", "b"),
        ("*@example.com", "main"),
    ] {
        assert_eq!(chosen(&tables, from), wanted, "{from}");
    }
}

#[test]
fn keys_in_files_for_each_domain_and_in_the_table() {
    let pem = include_str!("../../../zi2-sig/tests/dkim/keys/rsa2048-pkcs8.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let one_line = pem.replace('\n', "");
    let keys = format!(
        "a b.example:s:/a\nb %:s:/k/%/s.pem\nc b.example:s:{SEED}\nd b.example:s:{base64}\ne b.example:s:{one_line}\n"
    );
    let (tables, problems, _) = read(&keys, "", Matching::Names);
    assert_eq!(problems, "");
    let places: Vec<&DkimKeyPlace> = tables.keys().iter().map(|entry| &entry.key).collect();
    assert_eq!(*places[0], DkimKeyPlace::File("/a".into()));
    assert_eq!(*places[1], DkimKeyPlace::FileOfAuthor("/k/%/s.pem".to_owned()));
    for (place, is_rsa) in places[2..].iter().zip([false, true, true]) {
        let DkimKeyPlace::Inline(key) = place else { panic!("{place:?}") };
        assert_eq!(key.private_key().map(|key| key.is_rsa()), Ok(is_rsa));
    }
    assert!(!format!("{tables:?}").contains("Bwc"), "keys are not printed");
}

#[test]
fn no_message_repeats_what_may_be_a_key() {
    let pem = include_str!("../../../zi2-sig/tests/dkim/keys/rsa2048-pkcs8.pem");
    let seed = "/".repeat(42) + "8=";
    for table in [pem.to_owned(), format!("a {seed}\n"), format!("a b.example:s:{}\n", seed.replace("8=", "*="))] {
        let (_, problems, _) = read(&table, "", Matching::Names);
        assert!(!problems.is_empty() && !problems.contains("/////") && !problems.contains("MII"), "{problems}");
    }
    let (tables, problems, _) = read(&format!("a b.example:s:{seed}\n"), "", Matching::Names);
    assert!(matches!(tables.keys()[0].key, DkimKeyPlace::Inline(_)) && problems.is_empty(), "{problems}");
}

#[test]
fn every_fault_names_its_line() {
    for (keys, signing, wanted) in [
        ("main\n", "", "/keys:1:1: the line ends after its first word; a line reads NAME DOMAIN:SELECTOR:FILE"),
        ("\n a /keys/a\n", "", "/keys:2:4: this is no key; a line reads NAME DOMAIN:SELECTOR:FILE"),
        (
            "a a..b:s:/a",
            "",
            "/keys:1:3: \"a..b\" is no domain: the domain has an empty label; write it without a leading, final or double dot",
        ),
        (
            "a b.example:s s:/a",
            "",
            "/keys:1:13: \"s s\" is no selector: a selector is made of labels of letters, digits, hyphens and underscores, \
             joined by dots",
        ),
        ("a b.example:s:../a", "", "/keys:1:15: \"../a\": write the path from the root, beginning with /"),
        (
            "a b.example:s:keys/a",
            "",
            "/keys:1:15: what stands for the key is neither a path, beginning with /, nor a private key: the file is a PEM, \
             but not an RSA or Ed25519 private key in PKCS#8 or PKCS#1 form",
        ),
        (
            "a b.example:s:/a\nA b.example:t:/b",
            "",
            "/keys:2:1: a line above has the key \"A\" too; give each a name of its own",
        ),
        (
            "",
            "*@b.example",
            "/signing:1:1: the line ends after its first word; a line reads PATTERN NAME, as in *@example.com main",
        ),
        (
            KEYS,
            "# x\n*@b.example mian # y",
            "/signing:2:13: the KeyTable has no key \"mian\"; add it there, or name another",
        ),
        (
            KEYS,
            "*@b.example main:ann",
            "/signing:1:18: \"ann\" is no signer; write user@example.com, @example.com or @%, or leave it out",
        ),
    ] {
        assert_eq!(read(keys, signing, Matching::Wildcards).1, wanted);
    }
}

#[test]
fn lines_that_never_sign_are_told() {
    let table = "*@elsewhere.example main\na@other.example main\n*@b.example main\n*@sub.example.com main\n";
    let (_, problems, notices) = read(KEYS, table, Matching::Wildcards);
    assert_eq!(problems, "");
    assert_eq!(
        notices,
        "/signing:1:1: elsewhere.example is not hosted here, so the rule allows nothing (and 1 more of this file); add it to \
         server.hosted, or remove it\n\
         /signing:3:1: the key's domain example.com is neither that of the pattern nor above it, so DMARC would not count the \
         signature and none is made"
    );
}

#[test]
fn so_many_lines_and_no_more() {
    let lines =
        |count: usize, line: &str| -> String { (0..count).map(|n| line.replace("{}", &n.to_string())).collect() };
    for (count, wanted) in [
        (limits::DKIM_LINES, ""),
        (limits::DKIM_LINES + 1, "/signing:10001:1: the file has more than 10000 lines; the rest is not read"),
    ] {
        assert_eq!(read("a b.example:s:/a", &lines(count, "u{}@b.example a\n"), Matching::Names).1, wanted);
        let problems = read(&lines(count, "k{} b.example:s:/a\n"), "", Matching::Names).1;
        assert_eq!(problems, wanted.replace("signing", "keys"));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(
        keys in "([a%:/#.= \\t]|\u{fc}|b\\.example|\\n){0,60}",
        signing in "([a*@%:# \\t]|\u{fc}|b\\.example|\\n){0,60}",
        exact in proptest::prelude::any::<bool>(),
    ) {
        let matching = if exact { Matching::Names } else { Matching::Wildcards };
        let (tables, ..) = read(&format!("{KEYS}{keys}"), &signing, matching);
        let from = zi2_mail::parse_from(b"a@b.example").unwrap();
        assert!(tables.choices(&from).len() <= tables.keys().len(), "each key once");
    }
}
