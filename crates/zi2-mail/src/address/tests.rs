use proptest::prelude::*;

use super::*;
use crate::limits;

/// `None` for a domain literal or any error; tests of errors come apart.
fn author(value: &str) -> Option<String> {
    parse_from(value.as_bytes()).ok().map(|author| author.to_string())
}

fn recipients(value: &str) -> Option<String> {
    let list = parse_address_list(value.as_bytes()).ok()?;
    Some(list.flatten().map(AddrSpec::normalized).collect::<Vec<_>>().join(","))
}

#[test]
fn one_author() {
    for (value, wanted) in [
        (" ann@example.com", "ann@example.com"),
        ("Ann <ann@example.com>", "ann@example.com"),
        ("<Ann.SMITH@EXAMPLE.Com>", "ann.smith@example.com"),
        ("Ann B. Smith <ann@example.com>", "ann@example.com"),
        ("\"Ann, (B) <x@y>\" <ann@example.com>", "ann@example.com"),
        ("(admin@good.example) ann@evil.example", "ann@evil.example"), // TC-022
        ("\"ann@good.example\" <x@evil.example>", "x@evil.example"),   // TC-023
        ("\"a@good.example\"@evil.example", "\"a@good.example\"@evil.example"), // TC-024
        ("(the) ann (boss) @ (at) example.com (x)", "ann@example.com"),
        ("ann . b(x). c @ example . com", "ann.b.c@example.com"),
        ("ann\r\n (a\r\n b)@\r\n\texample.com\r\n ", "ann@example.com"),
        ("<ann@example.com.>", "ann@example.com"), // one final dot
        ("\"ann\"@example.com", "ann@example.com"),
        ("\"ann\".b@example.com", "ann.b@example.com"),
        ("\"Ann B\".c@example.com", "\"ann b.c\"@example.com"),
        ("\"Ann B\"@example.com", "\"ann b\"@example.com"),
        ("\"a\\\"b\\\\c\\d\"@example.com", "\"a\\\"b\\\\cd\"@example.com"),
        ("\"a\r\n b\"@example.com", "\"a b\"@example.com"),
        ("\"\"@example.com", "\"\"@example.com"),
        ("\".a\"@example.com", "\".a\"@example.com"),
        ("\"\u{c4}\"@example.com", "\u{c4}@example.com"), // TC-065: no folding beyond ASCII
        ("\u{c4}Lice@B\u{fc}cher.example", "\u{c4}lice@xn--bcher-kva.example"), // TC-062
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"), // TC-061
        ("ann@g\u{43e}\u{43e}d.example", "ann@xn--gd-fmca.example"), // TC-063
        ("ann@good\u{ff0e}example", "ann@good.example"),  // TC-066
        ("=?utf-8?q?=3Cceo=40bank.example=3E?= <ann@example.com>", "ann@example.com"),
        ("=?utf-8?b?YUBi?=@evil.example", "=?utf-8?b?yubi?=@evil.example"), // an atom, not an encoded word
        ("root@localhost", "root@localhost"),
        ("\u{4f60}\u{597d} (\u{4f60}) \"\u{df}\" <ann@example.com>", "ann@example.com"),
    ] {
        assert_eq!(author(value).as_deref(), Some(wanted), "{value}");
    }
}

#[test]
fn two_readings_of_from() {
    for value in [
        "<first@evil.example>, <admin@good.example>",      // TC-013
        "admin@good.example,<second@evil.example>",        // TC-017
        "<@evil.example,@any.example:admin@good.example>", // TC-015
        "<,@evil.example,,:admin@good.example>",
        "x:a@evil.example,b@good.example;", // TC-021
        "x:a@good.example;",
        "x:;",
        "\"a\" b.: a@good.example; (c)",
        "a@good.example, x:b@good.example;",
    ] {
        assert_eq!(parse_from(value.as_bytes()), Err(AddressError::Ambiguous), "{value}");
    }
}

#[test]
fn no_from_at_all() {
    for (value, offset) in [
        ("", 0),
        (" (ann@example.com)", 18),
        ("\"ann@example.com\"", 17),
        ("ann", 3),
        ("@example.com", 0),
        ("ann@", 4),
        ("<>", 1),
        ("<ann>", 4),
        ("=?utf-8?b?PGFkbWluQGdvb2QuZXhhbXBsZT4=?=,<second@evil>", 40), // TC-014
        ("<admin@good.example>\\,<second@evil.example>", 20),           // TC-016
        ("<any@evil.example>admin@good.example", 18),                   // TC-018
        ("a@b <c@d>", 4),
        ("<c@d> a@b", 6),
        ("<a@b><c@d>", 5),
        ("<a@b>>", 5),
        ("<<a@b>>", 1),
        ("<a@b", 4),
        ("a@b>", 3),
        ("a@b@c", 3),
        ("a@b c", 4),
        ("a b@c", 3),
        ("a..b@c", 4),
        ("a.@c", 2),
        (".a@c", 0),
        ("a@.c", 2),
        ("a@b..", 4),
        (",a@b", 0),
        ("a@b,", 4),
        ("a@b,,c@d", 4),
        ("a@b;", 3),
        ("x:a@b", 5),
        ("x:a@b,;", 6),
        ("x:y:a@b;;", 3),
        ("x:a@b; c@d", 7),
        (":a@b;", 0),
        ("<@a:@b:c@d>", 4),
        ("<@a c@d>", 4),
        ("<@a:>", 4),
        ("a@[192.0.2.1]", 0), // nobody speaks for a literal
        ("<a@[192.0.2.1]>", 1),
        ("a@-b", 0),
        ("a@b_c.example", 0),
        ("a@xn--good-.example", 0), // TC-064
        ("\"a\tb\"@c", 0),          // a control octet in what would be signed
        ("\"a", 0),
        ("(a", 0),
        ("a@b)", 3),
        ("a@b\r\n", 3),
        ("a\0@b", 1),
        ("a@b\nc", 3),
        ("a@b\r c", 3),
        ("a@b\x7f", 3),
    ] {
        assert_eq!(parse_from(value.as_bytes()), Err(AddressError::Syntax { offset }), "{value:?}");
    }
    assert_eq!(parse_from(b"B\xfccher <a@b>"), Err(AddressError::Syntax { offset: 1 }));
}

#[test]
fn recipients_in_order() {
    for (value, wanted) in [
        ("undisclosed-recipients:;", Some("")),
        ("x : (c) , , ; ", Some("")),
        (
            "Friends: Bob <bob@example.net>, c@example.org; , D@example.net",
            Some("bob@example.net,c@example.org,d@example.net"),
        ),
        ("a@b,\r\n c@d", Some("a@b,c@d")),
        (",a@b,,(x),c@d,", Some("a@b,c@d")),
        ("x:,a@b,,c@d,;,y:;", Some("a@b,c@d")),
        ("<@r,@s:a@b>, ann <@r:c@d>", Some("a@b,c@d")),
        ("a@[IPv6: ::F]", Some("a@[ipv6:::f]")),
        ("\"x, y\"@b", Some("\"x, y\"@b")),
        ("", None),
        (",,", None),
        ("x:a@b; y:c@d;", None), // no comma between
        ("x:;a@b", None),
        ("x:a@b", None),
        ("a@b;", None),
        ("a@b c@d", None),
        ("<>", None),
        ("a@[x", None),
    ] {
        assert_eq!(recipients(value).as_deref(), wanted, "{value}");
    }
}

#[test]
fn envelope_addresses() {
    for (argument, wanted) in [
        ("<Ann@Example.com>", Some("ann@example.com")),
        ("ann@example.com", Some("ann@example.com")),
        ("<@a,@b:ann@example.com>", Some("ann@example.com")),
        ("@a:ann@example.com", Some("ann@example.com")),
        ("<\"a b\"@[192.0.2.1]>", Some("\"a b\"@[192.0.2.1]")),
        ("<>", None),
        ("", None),
        ("<postmaster>", None),
        ("Ann <ann@example.com>", None),
        ("<a@b>,<c@d>", None),
        ("<a@b", None),
        ("<a@b> SIZE=1", None),
    ] {
        let address = parse_envelope_address(argument.as_bytes());
        assert_eq!(address.as_ref().map(AddrSpec::normalized), wanted, "{argument}");
    }
}

#[test]
fn bounds() {
    let list = |addresses: usize| vec!["a@b"; addresses].join(",");
    assert!(parse_address_list(list(limits::ADDRESSES).as_bytes()).is_ok());
    assert_eq!(parse_address_list(list(limits::ADDRESSES + 1).as_bytes()), Err(AddressError::TooMany));
    let nested = |depth: usize| ["(".repeat(depth), ")".repeat(depth), "a@b".to_owned()].concat();
    assert!(parse_from(nested(limits::COMMENT_DEPTH).as_bytes()).is_ok());
    assert_eq!(parse_from(nested(limits::COMMENT_DEPTH + 1).as_bytes()), Err(AddressError::TooDeep));
}

/// A megabyte each: a reader that looks back would not come to an end here.
#[test]
fn hostile_input_is_read_once() {
    for part in [
        "(", ")", "()", "(\\", ",", "<", ">", "@", "a@", ".", "a.", "a ", "\"", "\"\"", "\"\\", "[", ";", "x:;,",
        "\r\n ", "<@a,",
    ] {
        let value = part.repeat(1_000_000 / part.len());
        for value in [value.clone(), format!("a@b{value}"), format!("x:<@a,{value}"), format!("a@b({value}")] {
            let _ = (parse_from(value.as_bytes()), parse_address_list(value.as_bytes()));
        }
    }
}

proptest! {
    #[test]
    fn normalized_is_a_fixed_point(value in "([aB@.,<>:;\"\\\\()\\[\\] \u{e4}-]|a@b|\"x y\"|\r\n |\t){1,16}") {
        if let Ok(list) = parse_address_list(value.as_bytes()) {
            for address in list.flatten() {
                let normalized = address.normalized();
                prop_assert!(!normalized.bytes().any(|octet| octet.is_ascii_control()));
                let again = parse_address_list(normalized.as_bytes()).unwrap();
                prop_assert_eq!(again.flatten().collect::<Vec<_>>(), [address]);
                prop_assert_eq!(parse_envelope_address(normalized.as_bytes()), Some(address.clone()));
                prop_assert_eq!(address.to_string(), normalized);
            }
        }
    }

    #[test]
    fn quoted_contents_survive(contents in "[ -~\u{80}-\u{7ff}]{0,12}") {
        let quoted = contents.replace('\\', "\\\\").replace('"', "\\\"");
        let address = parse_from(format!("\"{quoted}\"@example.com").as_bytes()).unwrap();
        prop_assert_eq!(author(address.normalized()), Some(address.to_string()));
    }

    #[test]
    fn a_from_is_an_address_list(value in "([aB@.,<>:;\"\\\\() ]|a@b|@a:){1,16}") {
        if let Ok(author) = parse_from(value.as_bytes()) {
            let list = parse_address_list(value.as_bytes()).unwrap();
            prop_assert_eq!(list.flatten().collect::<Vec<_>>(), [&author]);
        }
    }

    #[test]
    fn any_octets(value in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (parse_from(&value), parse_address_list(&value), parse_envelope_address(&value));
    }
}
