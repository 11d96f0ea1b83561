//! Our DKIM2 beside mail-auth's: chains of random mail, each hop signed by one of the two, verified by both, then mutated and
//! verified by both again.
//!
//!     dkim2-peers [count] [seed]
//!
//! A difference must be one of those that `known` explains; anything else ends the run with status 1.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a check: it may stop")]

#[path = "../dkim2/house.rs"]
mod house;
#[path = "../../../../crates/zi2-mail/benches/common/sequence.rs"]
mod sequence;
#[path = "../../../peers/mail-auth/src/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::STANDARD};
use house::{DOMAINS, House, Said, Trip, full, name};
use sequence::Sequence;
use zi2_sig::dkim2::HashChoice;

fn main() -> ExitCode {
    let number = |place, default: u64| std::env::args().nth(place).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number(1, 10_000), number(2, 1));
    let mut run = Run { house: House::new(), random: Sequence::new(seed), now: 0, tally: BTreeMap::new(), unknown: 0 };
    for _ in 0..count {
        run.now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        run.one();
    }
    for (what, times) in &run.tally {
        println!("{times:>7}  {what}");
    }
    println!("{count} messages, seed {seed}: {} differences without a reason", run.unknown);
    if run.unknown == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Run {
    house: House,
    random: Sequence,
    now: u64,
    tally: BTreeMap<String, u64>,
    unknown: u64,
}

impl Run {
    fn below(&mut self, end: usize) -> usize {
        self.random.below(end)
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn one(&mut self) {
        let Some((mail, trip)) = self.chain() else { return };
        self.compare(&mail, &trip, "whole");
        for _ in 0..1 + self.below(2) {
            let (mut mutated, mut other) = (mail.clone(), trip.clone());
            for _ in 0..1 + self.below(2) {
                mutated = self.mutated(&mutated);
            }
            if self.below(10) == 0 {
                other = self.other_trip(&trip);
            }
            self.compare(&mutated, &other, "mutated");
        }
    }

    /// A chain of one to four hops, each signed by either program, and the envelope it arrives by.
    fn chain(&mut self) -> Option<(Vec<u8>, Trip)> {
        let plain = self.mail();
        let mut trip = Trip::of(0, 1);
        let said = self.said();
        let fields = match self.below(2) {
            0 => self.house.sign(None, &plain, 0, &trip, &said, self.now),
            _ => self.house.sign_theirs(None, &plain, 0, &trip, &said),
        };
        let mut mail = match fields {
            Ok(fields) => [fields.as_bytes(), &plain].concat(),
            Err(why) => return self.not_signed(&why),
        };
        for domain in 1..1 + self.below(4) {
            let next = self.trip(domain);
            let outgoing = self.changed(&mail, domain);
            let said = self.said();
            let fields = match self.below(2) {
                0 => {
                    let Some(evidence) = full(self.house.ours(&mail, &trip, self.now)) else {
                        return Some((mail, trip));
                    };
                    self.house.sign(Some((&mail, &evidence)), &outgoing, domain, &next, &said, self.now)
                }
                _ => self.house.sign_theirs(Some((&mail, &trip)), &outgoing, domain, &next, &said),
            };
            match fields {
                Ok(fields) => mail = [fields.as_bytes(), &outgoing].concat(),
                Err(why) => {
                    let _: Option<()> = self.not_signed(&why);
                    return Some((mail, trip));
                }
            }
            trip = next;
        }
        Some((mail, trip))
    }

    fn not_signed<T>(&mut self, why: &str) -> Option<T> {
        let words = why.split(|c: char| c.is_ascii_digit() || c == ':').next().unwrap_or_default();
        *self.tally.entry(format!("not signed: {words}")).or_default() += 1;
        None
    }

    fn said(&mut self) -> Said {
        let hashes = self.of(&[HashChoice::Sha256, HashChoice::Sha256, HashChoice::Sha512, HashChoice::Both]);
        let nonce = self.of(&[None, None, Some("a-b.c=/x".to_owned())]);
        Said { hashes, feedback: self.below(5) == 0, nonce }
    }

    fn trip(&mut self, from: usize) -> Trip {
        let mut trip = Trip::of(from, from + 1);
        match self.below(6) {
            0 => trip.recipients.push(format!("<z@sub.{}>", name(DOMAINS - 1))),
            1 => trip.sender = format!("<\"a b\"@Bounce.{}>", name(from).to_uppercase()),
            2 if from > 0 => trip.sender = "<>".to_owned(),
            _ => {}
        }
        trip
    }

    fn other_trip(&mut self, trip: &Trip) -> Trip {
        let mut trip = trip.clone();
        match self.below(4) {
            0 => trip.sender = "<>".to_owned(),
            1 => trip.sender = trip.sender.to_uppercase(),
            2 => trip.recipients.push("<other@b.example>".to_owned()),
            _ => trip.recipients = vec![trip.recipients[0].replace("example", "EXAMPLE")],
        }
        trip
    }

    // --- messages -----------------------------------------------------------------------------------------------------

    fn text(&mut self, longest: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\r\n",
            b"\r\n",
            b"\r\n",
            b" ",
            b"\t",
            b"Hello there",
            b"=20",
            b"--=_x",
            b"\xe4\xff",
            b"\xc3\xa4",
            b".",
            b"x",
        ];
        (0..self.below(longest)).flat_map(|_| self.of(&PIECES).to_vec()).collect()
    }

    fn value(&mut self) -> Vec<u8> {
        const PIECES: [&[u8]; 9] =
            [b" ", b"  ", b"\t", b"\r\n x", b"\r\n\ty", b"word", b"<a@example.com>", b"caf\xe9", b";"];
        (0..self.below(7)).flat_map(|_| self.of(&PIECES).to_vec()).collect()
    }

    fn field(&mut self) -> Vec<u8> {
        const NAMES: [&[u8]; 10] = [
            b"Subject",
            b"subject",
            b"To",
            b"List-Id",
            b"List-Unsubscribe",
            b"List-Unsubscribe-Post",
            b"Comments",
            b"X-A",
            b"Received",
            b"Auto-Submitted",
        ];
        let (name, value) = (self.of(&NAMES), self.value());
        [name, b":", &value, b"\r\n"].concat()
    }

    fn mail(&mut self) -> Vec<u8> {
        let mut fields: Vec<Vec<u8>> = (0..self.below(7)).map(|_| self.field()).collect();
        fields.insert(self.below(fields.len() + 1), b"From: Ann <ann@a.example>\r\n".to_vec());
        [fields.concat(), b"\r\n".to_vec(), self.text(24)].concat()
    }

    /// What a hop does on the way.
    fn changed(&mut self, mail: &[u8], domain: usize) -> Vec<u8> {
        let at = mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 2;
        let (section, rest) = mail.split_at(at);
        let mut section = section.to_vec();
        let mut body = rest[2..].to_vec();
        for _ in 0..self.below(4) {
            match self.below(8) {
                0 => section.extend(self.field()),
                1 => section = [self.field(), section].concat(),
                2 => section.extend_from_slice(b"List-Id: <list>\r\n"),
                3 => body.extend_from_slice(b"\r\n-- \r\nfooter\r\n"),
                4 => body = [b"--=_x\r\n\r\n".as_slice(), &body, b"\r\n--=_x--\r\n"].concat(),
                5 => body.extend_from_slice(b"\r\n\r\n"),
                6 => {
                    let text = String::from_utf8(section.clone());
                    let via = format!("From: Ann via list <list@{}>", name(domain));
                    section = text.map_or(section, |text| text.replace("From: Ann <ann@a.example>", &via).into_bytes());
                }
                _ => body = self.edited(&body),
            }
        }
        [section.as_slice(), b"\r\n", &body].concat()
    }

    /// A line dropped, doubled or put in.
    fn edited(&mut self, body: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut rest = body;
        while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
            lines.push(rest[..end + 2].to_vec());
            rest = &rest[end + 2..];
        }
        let at = self.below(lines.len() + 1);
        match self.below(3) {
            0 if at < lines.len() => drop(lines.remove(at)),
            1 if at < lines.len() => lines.insert(at, lines[at].clone()),
            _ => lines.insert(at, b"put in \xe9\r\n".to_vec()),
        }
        [lines.concat(), rest.to_vec()].concat()
    }

    /// Anything that may happen to octets, most of it where the chain is.
    fn mutated(&mut self, mail: &[u8]) -> Vec<u8> {
        let near = if self.below(3) > 0 { mail.len().min(1200) } else { mail.len() };
        let at = self.below(near);
        let piece: &[u8] =
            self.of(&[b" ".as_slice(), b"\t", b"\r\n ", b"x", b";", b"=", b",", b"|", b"0", b"m=2;", b"i=9; "]);
        match self.below(12) {
            0 | 1 => [&mail[..at], &[mail[at] ^ (1 << self.below(8))], &mail[at + 1..]].concat(),
            2 | 3 => [&mail[..at], piece, &mail[at..]].concat(),
            4 => [&mail[..at], &mail[at + 1..]].concat(),
            5 => [mail, self.of(&[b"\r\n".as_slice(), b" \r\n", b"more\r\n", b"x", b"\r\n\r\n"])].concat(),
            6 => [self.field(), mail.to_vec()].concat(),
            7 => replaced(mail, b"; ", self.of(&[b";".as_slice(), b";\r\n\t", b" ; "])),
            8 => replaced(
                mail,
                self.of(&[b"i=1;".as_slice(), b"m=1;", b"s:ed", b"sha256", b"f=", b"n=", b"r=", b"rt=", b"mf="]),
                self.of(&[b"i=01;".as_slice(), b"i=2;", b"m=2;", b"u=;", b"sha512", b"x:ed", b""]),
            ),
            9 => replaced(mail, b"ed25519-sha256", self.of(&[b"rsa-sha256".as_slice(), b"banana", b"mldsa44"])),
            10 => replaced(mail, b"=;", self.of(&[b";".as_slice(), b"==;", b"= ;"])),
            _ => replaced(
                mail,
                self.of(&[b"DKIM2-Signature:".as_slice(), b"Message-Instance:", b"From:", b"Subject:"]),
                self.of(&[b"X-Was:".as_slice(), b"dkim2-SIGNATURE:", b"From:", b"Message-Instance :"]),
            ),
        }
    }

    // --- verdicts -----------------------------------------------------------------------------------------------------

    fn compare(&mut self, mail: &[u8], trip: &Trip, what: &str) {
        let ours = self.house.ours(mail, trip, self.now);
        let (theirs, their_text) = self.house.theirs(mail, trip);
        let our_text = ours.failure().map(|failure| failure.text()).unwrap_or_default();
        if ours.result() == theirs {
            *self.tally.entry(format!("{what}: both {theirs}")).or_default() += 1;
            return;
        }
        if let Some(why) = known(mail, (ours.result(), &our_text), (theirs, &their_text)) {
            *self.tally.entry(format!("{what}: {why}")).or_default() += 1;
            return;
        }
        self.unknown += 1;
        if self.unknown <= 60 {
            println!(
                "ours   {} {our_text}\ntheirs {theirs} {their_text}\n{trip:?}\n{}\n",
                ours.result(),
                STANDARD.encode(mail)
            );
        }
    }
}

fn replaced(mail: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match mail.windows(from.len()).position(|window| window == from) {
        Some(at) => [&mail[..at], to, &mail[at + from.len()..]].concat(),
        None => mail.to_vec(),
    }
}

/// Why the two differ, where that is known. Section numbers are those of the draft and of RFCs.
fn known(mail: &[u8], ours: (&str, &str), theirs: (&str, &str)) -> Option<&'static str> {
    let fields = fields(mail);
    let tags = |name: &'static str| {
        fields.iter().flat_map(|(_, value)| tags(value)).filter(move |(tag, _)| tag == name).map(|(_, value)| value)
    };
    let is_syntax = ours.0 == "permerror" && ours.1.ends_with("syntax error");
    let values = |name: &'static str| tags(name).flat_map(move |value| values(name, &value)).collect::<Vec<_>>();
    if ours.1 == "The header section is malformed or too large" {
        return Some("a header section that readers take in different ways: we refuse it");
    }
    if is_syntax && ["mf", "rt", "s", "h", "r"].into_iter().flat_map(values).any(|text| STANDARD.decode(text).is_err())
    {
        return Some("base64 without its padding or with other last bits: syntax for us, mail-auth decodes it");
    }
    if is_syntax && tags("h").any(|value| value.split([',', '|']).any(is_of_another_length)) {
        return Some("a hash of another length than its algorithm has: syntax for us, mail-auth compares it");
    }
    if is_syntax && fields.iter().any(|(_, value)| has_an_empty_tag(value)) {
        return Some("an empty tag: syntax for us (RFC 6376 3.2), mail-auth passes over it");
    }
    if is_syntax && ["mf", "rt"].into_iter().flat_map(values).any(|path| !is_path(&path)) {
        return Some("mf= or rt= is no path of RFC 5321: syntax for us, for mail-auth another path");
    }
    if is_syntax && tags("d").any(|domain| !domain.contains('.')) {
        return Some("d= is a top-level domain, under which everybody is: syntax for us, a domain for mail-auth");
    }
    if ours.0 == "permerror" && ours.1.contains(" Recipe ") {
        return Some(
            "a recipe with neither h nor b, or with a step of another key: invalid for us, no step for mail-auth",
        );
    }
    let end = mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(mail.len());
    if ours.0 == "none" && has_bare_line_ends(&mail[..end]) {
        return Some("a field after a bare CR or LF: no field for us");
    }
    let body = mail.windows(4).position(|window| window == b"\r\n\r\n").map_or(&[][..], |at| &mail[at + 4..]);
    if ours.1.contains("body hash") && theirs.0 == "pass" && has_bare_line_ends(body) {
        return Some("a bare CR or LF in the body: mail-auth hashes another body (it drops CR and makes CRLF of LF)");
    }
    let both_fail = [ours.0, theirs.0].iter().all(|word| matches!(*word, "fail" | "permerror"));
    if both_fail && !is_syntax && place(ours.1) != place(theirs.1) {
        return Some("several things are wrong: we name what is wrong with the newest hop first, mail-auth the oldest");
    }
    None
}

/// The number of the field that a text is about.
fn place(text: &str) -> &str {
    text.split(' ').find(|word| word.starts_with("i=") || word.starts_with("m=")).unwrap_or_default()
}

fn is_of_another_length(set: &str) -> bool {
    let length = |text: &str| STANDARD.decode(text).map(|octets| octets.len()).unwrap_or_default();
    let mut parts = set.split(':');
    match parts.next() {
        Some("sha256") => parts.any(|part| length(part) != 32),
        Some("sha512") => parts.any(|part| length(part) != 64),
        _ => false,
    }
}

fn has_an_empty_tag(value: &str) -> bool {
    let tags: Vec<&str> = value.split(';').map(str::trim).collect();
    tags.iter().rev().skip(1).any(|tag| tag.is_empty())
}

fn is_path(base64: &str) -> bool {
    let octets = STANDARD.decode(base64).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(&octets) else { return false };
    let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match inner.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !inner.contains(char::is_control) && domain.split('.').all(is_label)
        }
        None => inner.is_empty(),
    }
}

fn has_bare_line_ends(body: &[u8]) -> bool {
    let pairs = body.windows(2).filter(|pair| pair == b"\r\n").count();
    let count = |octet| body.iter().filter(|other| **other == octet).count();
    count(b'\r') != pairs || count(b'\n') != pairs
}

/// The values of the chain's fields.
fn fields(mail: &[u8]) -> Vec<(String, String)> {
    let end = mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(mail.len());
    let section = String::from_utf8_lossy(&mail[..end]).replace("\r\n ", "").replace("\r\n\t", "");
    let fields = section.split("\r\n").filter_map(|line| line.split_once(':'));
    let fields = fields.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.to_owned()));
    fields.filter(|(name, _)| name == "dkim2-signature" || name == "message-instance").collect()
}

fn tags(value: &str) -> Vec<(String, String)> {
    let compact = |text: &str| text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
    value
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (compact(name), compact(value)))
        .collect()
}

/// What is base64 in a tag.
fn values(name: &str, value: &str) -> Vec<String> {
    let after = match name {
        "s" => 2,
        "h" => 1,
        _ => 0,
    };
    let items = value.split([',', '|']);
    items.flat_map(|item| item.split(':').skip(after).map(str::to_owned).collect::<Vec<_>>()).collect()
}
