//! What handlers report.

use zi2_chain::arc::AuthResults;
use zi2_chain::limits;

/// Host, and each result with its properties, in one line.
fn read(value: &str) -> Option<String> {
    let results = AuthResults::parse(value.as_bytes())?;
    let mut line = results.host().to_owned();
    for method in results.methods() {
        line += &format!("|{}={}", method.method(), method.result());
        for property in method.properties() {
            line += &format!(" {}.{}={}", property.ptype, property.name, property.value);
        }
    }
    Some(line)
}

#[test]
fn reports() {
    for (value, wanted) in [
        ("mx.example; none", "mx.example"),
        ("mx.example", "mx.example"),
        (" mx.example 1 ; spf=pass", "mx.example|spf=pass"),
        ("\"mx example\"; spf=pass", "mx example|spf=pass"),
        ("mx.example;spf=pass;dkim=fail;", "mx.example|spf=pass|dkim=fail"),
        ("mx.example; SPF=Pass SMTP.MailFrom=Ann@Example.com", "mx.example|spf=pass smtp.mailfrom=Ann@Example.com"),
        ("mx.example; dkim=pass (1024-bit key) header.i=@d1.example", "mx.example|dkim=pass header.i=@d1.example"),
        ("mx.example (a (b) c\\)); dmarc (x) = (y) none", "mx.example|dmarc=none"),
        (
            "mx.example;\r\n\tspf=pass reason=\"good; x=y\" smtp.helo=a.example",
            "mx.example|spf=pass smtp.helo=a.example",
        ),
        (
            "mx.example; dkim=pass header.b=\"iCa/=\" header.d=a.example",
            "mx.example|dkim=pass header.b=iCa/= header.d=a.example",
        ),
        ("mx.example; dkim=pass header.b=ab=+/", "mx.example|dkim=pass header.b=ab=+/"),
        ("mx.example; spf=pass smtp.mailfrom=\"a;b\"@c.example", "mx.example|spf=pass smtp.mailfrom=a;b@c.example"),
        ("mx.example; dkim/1=pass; dkim/2=pass", "mx.example|dkim=pass"),
        (
            "mx.example; x-zi2=pass header.d=a.example header.s=zi2-cert-2026-11 policy.level=2",
            "mx.example|x-zi2=pass header.d=a.example header.s=zi2-cert-2026-11 policy.level=2",
        ),
    ] {
        assert_eq!(read(value).as_deref(), Some(wanted), "{value}");
    }
}

#[test]
fn no_reports() {
    for value in [
        "",
        ";",
        "; spf=pass",
        "mx.example 2; spf=pass",
        "mx.example; spf",
        "mx.example; spf=",
        "mx.example; =pass",
        "mx.example; spf=pass x",
        "mx.example; spf=pass x.y",
        "mx.example; spf=pass x.y=",
        "mx.example; spf=pass .y=z",
        "mx.example; spf=pass (open",
        "mx.example; spf=pass smtp.helo=\"open",
        "mx.example; spf=pass smtp.helo=\"a\0b\"",
        "mx.example; spf=pass smtp.helo=\"a\"b\"c\"",
        "mx.example; none x-zi2=pass",
        "mx.example spf=pass",
        "mx.example; spf=pass smtp.helo=\u{7f}",
        "mx.example; ; spf=pass",
    ] {
        assert_eq!(read(value), None, "{value}");
    }
    assert_eq!(AuthResults::parse(b"mx.example; spf=pass smtp.helo=\xff"), None);
}

#[test]
fn a_property_twice_is_none() {
    let results = AuthResults::parse(b"mx.example; x-zi2=pass header.d=evil.example header.d=good.example").unwrap();
    assert_eq!(results.of("x-zi2").next().unwrap().property("header", "d"), None);
}

#[test]
fn limits_hold() {
    let methods = |count: usize| AuthResults::parse(format!("mx{}", "; a=b".repeat(count)).as_bytes());
    assert_eq!(methods(limits::ARC_METHODS).unwrap().methods().len(), limits::ARC_METHODS);
    assert_eq!(methods(limits::ARC_METHODS + 1), None);
    let properties = |count: usize| AuthResults::parse(format!("mx; a=b{}", " c.d=e".repeat(count)).as_bytes());
    assert_eq!(properties(limits::ARC_PROPERTIES).unwrap().methods()[0].properties().len(), limits::ARC_PROPERTIES);
    assert_eq!(properties(limits::ARC_PROPERTIES + 1), None);
    let comments =
        |depth: usize| AuthResults::parse(format!("mx {}{}; a=b", "(".repeat(depth), ")".repeat(depth)).as_bytes());
    assert!(comments(zi2_mail::limits::COMMENT_DEPTH).is_some());
    assert_eq!(comments(zi2_mail::limits::COMMENT_DEPTH + 1), None);
}
