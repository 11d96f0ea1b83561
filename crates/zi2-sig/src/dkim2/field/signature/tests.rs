use zi2_mail::Header;

use super::*;

fn parse(tags: &str) -> Result<Signature, Failure> {
    let section = format!("DKIM2-Signature: {tags}\r\n");
    let header = Header::parse(section.as_bytes());
    Signature::parse(header.fields().next().unwrap(), Draft::default(), Brackets::Required)
}

const GOOD: &str = "i=1; m=1; t=1740000000; d=example.com; mf=PGFAZXhhbXBsZS5jb20+; rt=PGJAZXhhbXBsZS5uZXQ+; s=sel:ed25519-sha256:AAAA;";

#[test]
fn faults() {
    let syntax = Some("PERMERROR: DKIM2-Signature i=1 syntax error");
    let tags = |name: &str| (0..40).map(|at| format!("{name}{at}=;")).collect::<String>();
    for (from, to, expected) in [
        ("", "", None),
        ("i=1; ", "", Some("PERMERROR: DKIM2-Signature i=? tag=i missing")),
        ("i=1", "i=0", Some("PERMERROR: DKIM2-Signature i=? syntax error")),
        ("i=1", "i=4294967296", Some("PERMERROR: DKIM2-Signature i=? syntax error")),
        ("i=1", "i=01", None),
        ("i=1; m=1", "I=7; i=1; m=1; X=\r\n y", None),
        ("i=1; m=1", "i=1; m=1; x=1; x=1", syntax),
        ("i=1; m=1", "i=1; m=1;;", syntax),
        ("m=1; ", "", Some("PERMERROR: DKIM2-Signature i=1 tag=m missing")),
        ("m=1", "m=0", syntax),
        ("t=1740000000", "t=18446744073709551616", syntax),
        ("t=1740000000", "t=", syntax),
        ("d=example.com", "d=example.com.", syntax),
        ("d=example.com", "d=com", syntax),
        ("d=example.com", "d=[192.0.2.1]", syntax),
        ("mf=PGFAZXhhbXBsZS5jb20+; ", "", Some("PERMERROR: DKIM2-Signature i=1 tag=mf missing")),
        ("rt=PGJAZXhhbXBsZS5uZXQ+; ", "", Some("PERMERROR: DKIM2-Signature i=1 tag=rt missing")),
        ("s=sel:ed25519-sha256:AAAA;", "", Some("PERMERROR: DKIM2-Signature i=1 tag=s missing")),
        ("mf=", "nd=example.org; mf=", Some("PERMERROR: DKIM2-Signature i=1 tag=nd was unexpected")),
        ("mf=PGFAZXhhbXBsZS5jb20+; rt=PGJAZXhhbXBsZS5uZXQ+", "nd=example.org", None),
        ("mf=PGFAZXhhbXBsZS5jb20+", "mf=YUBleGFtcGxlLmNvbQ==", syntax),
        ("mf=PGFAZXhhbXBsZS5jb20+", "mf=PD4=", None),
        ("rt=PGJAZXhhbXBsZS5uZXQ+", "rt=PD4=", syntax),
        ("rt=PGJAZXhhbXBsZS5uZXQ+", "rt=PGJAZXhhbXBsZS5uZXQ+ ,\r\n PGJA ZXhhbXBsZS5uZXQ+", None),
        ("rt=PGJAZXhhbXBsZS5uZXQ+", "rt=PGJAZXhhbXBsZS5uZXQ+,", syntax),
        ("AAAA;", "AAAA", None),
        ("AAAA", "AA AA\r\n\tAAAA", None),
        ("AAAA", "AAA", syntax),
        ("AAAA", "", syntax),
        ("AAAA", "AAAB=", syntax),
        ("sel:", "sel :\r\n ", None),
        ("sel:", "s el:", syntax),
        ("AAAA", "AAAA,SEL:rsa-sha256:AAAA", Some("PERMERROR: DKIM2-Signature i=1 has a duplicate selector")),
        ("AAAA", "AAAA|other:rsa-sha256:AAAA", None),
        ("AAAA", "AAAA,,", syntax),
        ("i=1;", "i=1; n=;", None),
        ("i=1;", "i=1; n=a b;", syntax),
        ("i=1;", "i=1; f=exploded , x-y;", None),
        ("i=1;", "i=1; f=;", syntax),
        ("i=1;", "i=1; f=a b;", syntax),
        ("i=1;", "i=1; u=\u{fc};", Some("PERMERROR: DKIM2-Signature i=? syntax error")),
        (
            "i=1;",
            &format!("i=1; {}", tags("x")),
            Some("PERMERROR: DKIM2-Signature i=1 is longer or lists more than is read"),
        ),
    ] {
        let failure = parse(&GOOD.replacen(from, to, 1)).err().map(|failure| failure.to_string());
        assert_eq!(failure.as_deref(), expected, "{from} -> {to}");
    }
    let nonce = |octets: usize| parse(&format!("n={}; {GOOD}", "x".repeat(octets))).is_ok();
    assert!(nonce(limits::DKIM2_NONCE) && !nonce(limits::DKIM2_NONCE + 1));
    let members = |count: usize| {
        let more: String = (1..count).map(|at| format!(",s{at}:banana:AAAA")).collect();
        parse(&GOOD.replace("AAAA;", &format!("AAAA{more};"))).err().map(|failure| failure.problem)
    };
    assert_eq!(members(limits::DKIM2_MEMBERS), None);
    assert_eq!(members(limits::DKIM2_MEMBERS + 1), Some(Problem::TooManySelectors));
    assert_eq!(members(2000), Some(Problem::TooManySelectors));
    let recipients = |count: usize| parse(&GOOD.replace("rt=", &format!("rt={}", "PGI+,".repeat(count - 1)))).is_ok();
    assert!(recipients(limits::DKIM2_RECIPIENTS) && !recipients(limits::DKIM2_RECIPIENTS + 1));
}

#[test]
fn where_it_is() {
    let failure = parse(&GOOD.replace("d=example.com", "d=com")).unwrap_err();
    let section = format!("DKIM2-Signature: {GOOD}");
    assert_eq!(failure.place.tag, Some("d"));
    assert_eq!(failure.place.offset, section.find("d=").map(|at| at + 2));
    assert_eq!(failure.place.hop, Some(1));
}

#[test]
fn forms() {
    let text = " i=1;\r\n m=1; t=1; d=example.com; nd=example.org; n=s=a:b:cc; s=a:x:AAAA AAAA,\r\n b : y : BBBB | c:z:CCCC ;x=s=1:2:3";
    let signature = parse(text).unwrap();
    let form = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let start = "dkim2-signature:i=1;m=1;t=1;d=example.com;nd=example.org;n=s=a:b:cc;";
    assert_eq!(form(&signature.signed_form), format!("{start}s=a:x:AAAAAAAA,b:y:BBBB|c:z:CCCC;x=s=1:2:3\r\n"));
    assert_eq!(form(&signature.own_form), format!("{start}s=a:x:,b:y:|c:z:;x=s=1:2:3\r\n"));
}
