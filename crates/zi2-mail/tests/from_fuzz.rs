//! Hostile From lines: whatever yields an author must have one author only, whoever reads it.
//!
//! Runs over a table of our own, and over the 2,505 lines of EmailTestTools ("Weak Links in Authentication Chains") where
//! they are at hand; those are under the GPL and are no part of this repository.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out"
)]

use zi2_mail::{AddressError, Domain, Header, parse_address_list, parse_envelope_address, parse_from};

/// Relative to this crate's manifest.
const CORPUS: &str = "../../../shared/vectors/from/fuzz.json";

/// What a header section says about its author.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Author {
    /// One mailbox at this domain.
    At(String),
    /// A line that is no field, or an octet no header may hold.
    Malformed,
    /// No From, or two.
    Count,
    /// From is no address.
    Syntax,
    /// From is two mailboxes, a group or a source route.
    Ambiguous,
}

use Author::{Ambiguous, Count, Malformed, Syntax};

#[test]
fn own_lines() {
    for (section, wanted) in own_table() {
        assert_eq!(author(section), wanted, "{}", section.escape_ascii());
        check(section);
    }
}

#[test]
fn corpus() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("left out: the EmailTestTools corpus is not at {}", path.display());
        return;
    };
    let lines: Vec<String> = serde_json::from_str(&text).expect("a list of strings");
    assert_eq!(lines.len(), 2505);
    let authors = lines.iter().filter(|line| matches!(author(line.as_bytes()), Author::At(_))).count();
    // Most lines are lists, routes and broken names; a reader that takes many of them is wrong, one that takes none too.
    assert!((1..=400).contains(&authors), "{authors} of the lines have one author");
    println!("{authors} of {} lines have one author", lines.len());
    for line in &lines {
        check(line.as_bytes());
        if let Some(octets) = line.chars().map(|character| u8::try_from(character).ok()).collect::<Option<Vec<_>>>() {
            check(&octets); // 0xFF behind a field name is one octet on the wire
        }
    }
}

/// The order of zi2.md §2.
fn author(section: &[u8]) -> Author {
    let header = Header::parse(section);
    if header.defect().is_some() {
        return Malformed;
    }
    let mut fields = header.named("From");
    let (Some(from), None) = (fields.next(), fields.next()) else { return Count };
    match parse_from(from.value()) {
        Ok(author) => Author::At(author.domain().expect("an author has a domain with a name").as_str().to_owned()),
        Err(AddressError::Ambiguous) => Ambiguous,
        Err(_) => Syntax,
    }
}

/// Holds an author against the second opinion: that of the section, and that of each value in it.
fn check(section: &[u8]) {
    if let Author::At(domain) = author(section) {
        assert_eq!(naive_section(section), Some(domain), "{}", section.escape_ascii());
    }
    // Fields are listed in spite of defects, and so every list in a section is read, not that of a lone From only.
    Header::parse(section).fields().for_each(|field| check_value(field.value()));
    check_value(first_value(section));
}

fn check_value(value: &[u8]) {
    let _ = (parse_address_list(value), parse_envelope_address(value));
    if let Ok(author) = parse_from(value) {
        let domain = author.domain().map(|domain| domain.as_str().to_owned());
        assert_eq!(naive_author(value), domain, "{}", value.escape_ascii());
    }
}

/// A second opinion that shares no code: one line that any reader could take for From, and one author in it.
fn naive_section(section: &[u8]) -> Option<String> {
    let is_from = |line: &[u8]| line.trim_ascii().get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"from"));
    let froms = section.split(|octet| matches!(octet, b'\r' | b'\n')).filter(|line| is_from(line)).count();
    if froms == 1 { naive_author(first_value(section)) } else { None }
}

/// Behind the first colon, up to a line that does not begin with white space.
fn first_value(section: &[u8]) -> &[u8] {
    let value = section.splitn(2, |octet| *octet == b':').nth(1).unwrap_or(section);
    let ends = |at: &usize| {
        let rest = value.split_at(*at).1;
        rest.starts_with(b"\r\n") && !matches!(rest.get(2), Some(b' ' | b'\t'))
    };
    value.split_at((0..value.len()).find(ends).unwrap_or(value.len())).0
}

/// Without comments and quoted strings: one `@`, no separators, at most one pair of angle brackets and nothing behind it.
fn naive_author(value: &[u8]) -> Option<String> {
    let outside = naive_outside(value)?;
    if outside.matches('@').count() != 1 || outside.contains([',', ':', ';', '\\', '\0', '[', ']']) {
        return None;
    }
    let address = match outside.split_once('<') {
        Some((_, rest)) => rest.trim_end().strip_suffix('>')?,
        None => &outside,
    };
    let (_, domain) = address.split_once('@').filter(|_| !address.contains(['<', '>']))?;
    let domain: String = domain.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let domain = domain.strip_suffix('.').unwrap_or(&domain);
    let ascii = if domain.is_ascii() { domain.to_ascii_lowercase() } else { Domain::parse(domain).ok()?.to_string() };
    Some(ascii).filter(|domain| !domain.is_empty())
}

fn naive_outside(value: &[u8]) -> Option<String> {
    let (mut outside, mut depth, mut quoted, mut escaped) = (String::new(), 0_u32, false, false);
    for character in std::str::from_utf8(value).ok()?.chars() {
        let inside = depth > 0 || quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if inside => {}
            _ => outside.push(character),
        }
    }
    Some(outside).filter(|_| depth == 0 && !quoted && !escaped)
}

fn own_table() -> Vec<(&'static [u8], Author)> {
    let at = |domain: &str| Author::At(domain.to_owned());
    vec![
        // plain
        (b"From: ann@good.example\r\n", at("good.example")),
        (b"FROM:<ann@GOOD.example>", at("good.example")),
        (b"From: Ann <ann@good.example>\r\nTo: b@c\r\n", at("good.example")),
        (b"From:\r\n Ann\r\n <ann@good.example>\r\n", at("good.example")),
        // duplicates and absence
        (b"From: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Count),
        (b"From: <x@evil.example>\r\nfROM: <ann@good.example>\r\n", Count),
        (b"From: <ann@good.example>\r\nFrom:\r\n", Count),
        (b"Sender: ann@good.example\r\n", Count),
        (b"Resent-From: ann@good.example\r\n", Count),
        (b"Froms: ann@good.example\r\n", Count),
        (b"", Count),
        // field names and lines
        (b" From: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From : <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From\x00: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From\xff: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From\xc2\xa0: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From\r\n : <ann@good.example>\r\n", Malformed),
        (b"From\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From: (x\r\nx) <ann@good.example>\r\n", Malformed),
        (b"X: y\rFrom: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"X: y\nFrom: <x@evil.example>\r\nFrom: <ann@good.example>\r\n", Malformed),
        (b"From: <ann@good.example>\n x\r\n", Malformed),
        // NUL and control octets
        (b"From: <ann@good.example\x00@evil.example>\r\n", Malformed),
        (b"From: <=?utf-8?b?YW5u?=>\x00@evil.example\r\n", Malformed),
        (b"From: ann@good.example\x01\r\n", Syntax),
        (b"From: ann@good.example\x7f.evil.example\r\n", Syntax),
        (b"From: ann@good.example\x08\x08\r\n", Syntax),
        // lists
        (b"From: ann@good.example, x@evil.example\r\n", Ambiguous),
        (b"From: ann@good.example,<x@evil.example>\r\n", Ambiguous),
        (b"From: \"a\" <ann@good.example>,\r\n b <x@evil.example>\r\n", Ambiguous),
        (b"From: ann@good.example, ann@good.example\r\n", Ambiguous),
        (b"From: ,ann@good.example\r\n", Syntax),
        (b"From: ann@good.example,\r\n", Syntax),
        (b"From: (a),(b),ann@good.example\r\n", Syntax),
        (b"From: ann@good.example;x@evil.example\r\n", Syntax),
        (b"From: ann@good.example x@evil.example\r\n", Syntax),
        // groups and routes
        (b"From: x:ann@good.example;\r\n", Ambiguous),
        (b"From: x:;\r\n", Ambiguous),
        (b"From: x: ann@good.example, x@evil.example;\r\n", Ambiguous),
        (b"From: x:;ann@good.example\r\n", Syntax),
        (b"From: <@evil.example,@any.example:ann@good.example>\r\n", Ambiguous),
        (b"From: a <@evil.example:ann@good.example> (c)\r\n", Ambiguous),
        (b"From: <@evil.example:@any.example:ann@good.example>\r\n", Syntax),
        (b"From: @evil.example:ann@good.example\r\n", Syntax),
        // comments
        (b"From: (ann@good.example) x@evil.example\r\n", at("evil.example")),
        (b"From: x@evil.example (ann@good.example)\r\n", at("evil.example")),
        (b"From: (a(b(c@d)e)\\)f) x@(y)evil(z).example\r\n", at("evil.example")),
        (b"From: ann@good.example(\r\n", Syntax),
        (b"From: ann@good.example)(x\r\n", Syntax),
        (b"From: ((((((((((((((((( x@evil.example\r\n", Syntax),
        (b"From: ann(@)good.example\r\n", Syntax),
        // quoted strings and pairs
        (b"From: \"ann@good.example\" <x@evil.example>\r\n", at("evil.example")),
        (b"From: \"ann@good.example>,<\" <x@evil.example>\r\n", at("evil.example")),
        (b"From: \"ann@good.example\"@evil.example\r\n", at("evil.example")),
        (b"From: \"a\\\"@good.example\"@evil.example\r\n", at("evil.example")),
        (b"From: ann\\@good.example@evil.example\r\n", Syntax),
        (b"From: <ann@good.example>\\,<x@evil.example>\r\n", Syntax),
        (b"From: \"ann@good.example\r\n", Syntax),
        (b"From: ann@\"good.example\"\r\n", Syntax),
        // angles
        (b"From: ann@good.example <x@evil.example>\r\n", Syntax),
        (b"From: <x@evil.example> ann@good.example\r\n", Syntax),
        (b"From: <x@evil.example>ann@good.example\r\n", Syntax),
        (b"From: <ann@good.example><x@evil.example>\r\n", Syntax),
        (b"From: <<ann@good.example>>\r\n", Syntax),
        (b"From: <ann@good.example\r\n", Syntax),
        (b"From: ann@good.example>\r\n", Syntax),
        (b"From: <>\r\n", Syntax),
        (b"From: ann@good.example@evil.example\r\n", Syntax),
        // encoded words
        (b"From: =?utf-8?b?PGFubkBnb29kLmV4YW1wbGU+?= <x@evil.example>\r\n", at("evil.example")),
        (b"From: =?utf-8?b?PGFubkBnb29kLmV4YW1wbGU+?=,<x@evil.example>\r\n", Syntax),
        (b"From: <=?utf-8?b?YW5uQGdvb2QuZXhhbXBsZQ==?=>\r\n", Syntax),
        (b"From: =?utf-8?q?ann=40good.example?=\r\n", Syntax),
        // domains
        (b"From: ann@[192.0.2.1]\r\n", Syntax),
        (b"From: ann@good.example.\r\n", at("good.example")),
        (b"From: ann@good..example\r\n", Syntax),
        (b"From: ann@good_one.example\r\n", Syntax),
        (b"From: ann@xn--good-.example\r\n", Syntax),
        (b"From: ann@good\xef\xbc\x8eexample\r\n", at("good.example")),
        (b"From: ann@g\xd0\xbe\xd0\xbed.example\r\n", at("xn--gd-fmca.example")),
        (b"From: ann@g\xf6od.example\r\n", Syntax),
    ]
}
