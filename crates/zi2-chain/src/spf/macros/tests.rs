//! Macros: the examples of RFC 7208 §7.4, the grammar, and the edges of lengths.

use super::*;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn with<T>(client: &str, local: &str, helo: &str, act: impl FnOnce(&Values<'_>) -> T) -> T {
    act(&Values {
        local,
        sender: &name("email.example.com"),
        domain: &name("email.example.com"),
        client: client.parse().unwrap(),
        validated: "unknown",
        helo,
        receiver: "mx.recv.example",
        now: Timestamp::from_secs(1_777_397_400),
    })
}

fn text(source: &str) -> String {
    let parsed = MacroString::parse(source, Letters::All).unwrap();
    with("192.0.2.3", "strong-bad", "mail.example.com", |values| parsed.explanation(values).unwrap())
}

#[test]
fn examples_of_section_7_4() {
    for (source, wanted) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ] {
        assert_eq!(text(source), wanted, "{source}");
    }
    let v6 = MacroString::domain_spec("%{ir}.%{v}._spf.%{d2}").unwrap();
    let wanted = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
    with("2001:db8::cb01", "strong-bad", "", |values| assert_eq!(v6.name(values), Some(name(wanted))));
}

#[test]
fn other_letters_and_transformers() {
    for (source, wanted) in [
        (
            "%{c} %{i} %{r} %{t} %{h} %{p} %{v}",
            "192.0.2.3 192.0.2.3 mx.recv.example 1777397400 mail.example.com unknown in-addr",
        ),
        ("a%%b%_c%-d", "a%b c%20d"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%{DR}", "com.example.email"),
        ("%{L1R-}", "strong"),
        ("%{d99999999999999999999999}", "email.example.com"),
        ("%{s1r@}", ""),
        ("%{d128}", "email.example.com"),
        ("%{s2-.}", "example.com"),
    ] {
        match MacroString::parse(source, Letters::All) {
            Ok(_) => assert_eq!(text(source), wanted, "{source}"),
            Err(syntax) => assert_eq!((syntax, wanted), (SpfSyntax::Macro, ""), "{source}"),
        }
    }
}

#[test]
fn what_is_no_macro() {
    for source in
        ["%", "a%", "%a", "%(ir)", "%{", "%{}", "%{x}", "%{d", "%{d0}", "%{d00}", "%{dr2}", "%{d r}", "%{d:}", "%{1d}"]
    {
        assert_eq!(MacroString::parse(source, Letters::All), Err(SpfSyntax::Macro), "{source}");
    }
    for source in ["%{c}", "%{R}", "%{t}"] {
        assert_eq!(MacroString::domain_spec(source), Err(SpfSyntax::Macro), "{source}");
    }
    assert_eq!(MacroString::parse("\u{e4}", Letters::All), Err(SpfSyntax::Octet));
    assert_eq!(MacroString::parse("a\0", Letters::All), Err(SpfSyntax::Octet));
}

#[test]
fn ends_of_names() {
    for good in [
        "a.b",
        "a.b.",
        ".b",
        "%{d}",
        "%%",
        "a%_",
        "a.%{d}",
        "%{d}.b",
        "a:b/c.xn--zckzah",
        "a.1-2",
        "a.b1",
        "a...com",
        "a%-.b",
        "a.%%b.c",
    ] {
        assert!(MacroString::domain_spec(good).is_ok(), "{good}");
    }
    for bad in
        ["", ".", "a", "a.", "a..", "a.1", "1.2.3.4", "a.-b", "a.b-", "a.b:8080", "%{d}b", "%{d}.", "-all", "a.%%b"]
    {
        assert_eq!(MacroString::domain_spec(bad), Err(SpfSyntax::Name), "{bad}");
    }
}

#[test]
fn names_that_cannot_be_asked() {
    let long = "l".repeat(64);
    for (source, local, helo) in [
        ("a..b", "", ""),
        ("%{h}", "", "localhost"),
        ("%{h}", "", ""),
        ("%{h}.b", "", ""),
        ("%{h}", "", "a.b.."),
        ("%{l}.b", "\u{e4}", ""), // RFC 8616 §4
        ("%{l}.b", &long, ""),
        ("%{h}.b", "", "a\u{fffd}"),
        ("%{h}.b", "", "a\rb"),
    ] {
        let parsed = MacroString::domain_spec(source).unwrap();
        with("192.0.2.3", local, helo, |values| assert_eq!(parsed.name(values), None, "{source}"));
    }
}

/// § 7.3: what is too long loses labels at its left, and is never anything but a whole right end.
#[test]
fn long_names_are_shortened_at_the_left() {
    let labels = |count: usize| vec!["12345678"; count].join(".");
    for (local, label) in [(labels(25), "12345678"), (labels(27), "12345678"), (labels(90), "12345678")] {
        let parsed = MacroString::domain_spec("%{l}.x.example.com").unwrap();
        let got = with("192.0.2.3", &local, "", |values| parsed.name(values)).unwrap();
        assert!(got.as_str().starts_with(label) && got.as_str().ends_with(".x.example.com"), "{got}");
        assert!((246..=253).contains(&got.as_str().len()) || local.len() < 245, "{got}");
    }
    // 253 octets stay whole, with and without the final dot; 254 lose a label.
    for (first, wanted) in [(29, 253), (30, 223)] {
        let long = format!("{}.{}", "f".repeat(first), vec!["s".repeat(31); 7].join("."));
        assert_eq!(long.len(), 224 + first);
        for end in ["", "."] {
            let parsed = MacroString::parse(&[&long, end].concat(), Letters::Terms).unwrap();
            let got = with("192.0.2.3", "l", "", |values| parsed.name(values)).unwrap();
            assert_eq!(got.as_str().len(), wanted);
        }
    }
    // One long label leaves nothing.
    let parsed = MacroString::parse(&"x".repeat(300), Letters::Terms).unwrap();
    with("192.0.2.3", "l", "", |values| assert_eq!(parsed.name(values), None));
}

#[test]
fn limits() {
    let macros = |count: usize| "%{d}".repeat(count);
    assert!(MacroString::domain_spec(&macros(SPF_MACROS)).is_ok());
    assert_eq!(MacroString::domain_spec(&macros(SPF_MACROS + 1)), Err(SpfSyntax::Macro));
    assert_eq!(MacroString::domain_spec(&"a%%".repeat(SPF_MACROS + 1)), Err(SpfSyntax::Macro));
    let explanation = |octets: usize| {
        let parsed = MacroString::parse(&"x".repeat(octets), Letters::All).unwrap();
        with("192.0.2.3", "l", "", |values| parsed.explanation(values)).is_some()
    };
    assert!(explanation(SPF_EXPLANATION_OCTETS));
    assert!(!explanation(SPF_EXPLANATION_OCTETS + 1));
}
