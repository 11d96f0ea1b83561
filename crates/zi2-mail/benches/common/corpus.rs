//! Mail to measure with: made here, the same in every run, no two messages alike.

use super::sequence::Sequence;

/// Words of the bodies and subjects.
const WORDS: [&str; 24] = [
    "the",
    "of",
    "and",
    "invoice",
    "meeting",
    "to",
    "in",
    "schedule",
    "please",
    "attached",
    "a",
    "is",
    "that",
    "regards",
    "for",
    "it",
    "Tuesday",
    "questions",
    "confirm",
    "with",
    "as",
    "delivery",
    "tomorrow's",
    "I",
];

impl Sequence {
    pub(crate) fn octets<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn words(&mut self, octets: usize) -> String {
        let mut text = String::new();
        while text.len() < octets {
            text += self.word();
            text.push(' ');
        }
        text.trim_end().to_owned()
    }

    /// Digits as in base64 and identifiers.
    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b"ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/"[self.below(44)])).collect()
    }
}

/// What bodies are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Words in lines, now and then two blanks.
    Prose,
    /// An attachment: full lines without a blank.
    Base64,
    /// A text whose lines end in soft breaks.
    QuotedPrintable,
    /// Markup with indents, TABs and blanks at the ends of lines.
    Html,
}

impl Body {
    pub(crate) const ALL: [Body; 4] = [Body::Prose, Body::Base64, Body::QuotedPrintable, Body::Html];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Body::Prose => "prose",
            Body::Base64 => "base64",
            Body::QuotedPrintable => "quoted-printable",
            Body::Html => "indented HTML",
        }
    }

    fn line(self, chance: &mut Sequence) -> String {
        match self {
            Body::Prose => prose_line(chance),
            Body::Base64 => chance.digits(76) + "\r\n",
            Body::QuotedPrintable => {
                let width = 60 + chance.below(10);
                let line = chance.words(width).replace("attached", "gr=C3=BC=C3=9Fe");
                line + if chance.below(5) == 0 { "\r\n\r\n" } else { " =\r\n" }
            }
            Body::Html => {
                let width = chance.below(50);
                let indent = match chance.below(4) {
                    0 => "\t".repeat(1 + chance.below(4)),
                    _ => " ".repeat(2 * chance.below(10)),
                };
                let end = if chance.below(8) == 0 { " \r\n" } else { "\r\n" };
                format!("{indent}<td class=\"cell\">{}</td>{end}", chance.words(width))
            }
        }
    }
}

/// A message of ordinary shape: 20 fields in about 2.3 kB, and a body of text.
pub(crate) fn message(number: u64, body_octets: usize) -> Vec<u8> {
    let mut chance = Sequence::new(number);
    let header = header(&mut chance);
    whole(&header, &body(&mut chance, Body::Prose, body_octets))
}

/// The same without its DKIM signature, and with another body.
pub(crate) fn unsigned(number: u64, kind: Body, body_octets: usize) -> Vec<u8> {
    let mut chance = Sequence::new(number);
    let header = header(&mut chance);
    let (above, rest) = header.split_once("DKIM-Signature:").unwrap_or((&header, ""));
    let (_, below) = rest.split_once("\r\nFrom:").unwrap_or_default();
    whole(&[above, "From:", below].concat(), &body(&mut chance, kind, body_octets))
}

fn whole(header: &str, body: &[u8]) -> Vec<u8> {
    [header.as_bytes(), b"\r\n", body].concat()
}

/// The header section of a message that came over three hosts.
fn header(chance: &mut Sequence) -> String {
    let (id, reply) = (chance.digits(24).replace('/', "x"), chance.digits(24).replace('/', "x"));
    let (subject, name) = (chance.words(40), chance.words(12).replace(['\''], ""));
    let mut header = String::new();
    for hop in ["mx.example.net", "relay.example.com", "mail.example.com"] {
        header += &format!(
            "Received: from {hop} ({hop} [192.0.2.{}])\r\n\
             \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n\
             \t key-exchange X25519 server-signature ECDSA (P-256))\r\n\
             \tby {hop} (Postfix) with ESMTPS id {}\r\n\
             \tfor <bob@example.net>; Tue, 28 Apr 2026 17:30:{:02} +0000 (UTC)\r\n",
            chance.below(255),
            chance.digits(10),
            chance.below(60),
        );
    }
    let reference = |chance: &mut Sequence| format!("<{}@mail.example.com>", chance.digits(22).replace('/', "x"));
    let (first, second) = (reference(chance), reference(chance));
    header
        + &format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=mail2026;\r\n\
             \tt=1777397400; bh={}=;\r\n\
             \th=From:To:Cc:Subject:Date:Message-ID:In-Reply-To:References:MIME-Version:\r\n\
             \t Content-Type:Content-Transfer-Encoding;\r\n\
             \tb={}\r\n\t {}\r\n\t {}\r\n\t {}\r\n\t {}==\r\n",
            chance.digits(43),
            chance.digits(70),
            chance.digits(72),
            chance.digits(72),
            chance.digits(72),
            chance.digits(54),
        )
        + &format!(
            "From: \"{name}\" <Ann.{}@example.com>\r\n\
             To: Bob Builder <bob@example.net>, \"Miller, Carol\" <carol@example.org>\r\n\
             Cc: dave@example.com (Dave)\r\n\
             Reply-To: Ann <ann@example.com>\r\n\
             Subject: Re: {subject}\r\n\
             Date: Tue, 28 Apr 2026 17:30:00 +0000\r\n\
             Message-ID: <{id}@mail.example.com>\r\n\
             In-Reply-To: <{reply}@mx.example.net>\r\n\
             References: {first}\r\n {second}\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=\"utf-8\"; format=flowed\r\n\
             Content-Transfer-Encoding: 8bit\r\n\
             User-Agent: Example Mail/128.5.2 (X11; Linux x86_64)\r\n\
             Content-Language: en-GB\r\n\
             List-Unsubscribe: <https://lists.example.com/u/{}>\r\n\
             X-Mailer-Ref: {}\r\n",
            chance.below(1000),
            chance.digits(30),
            chance.digits(40),
        )
}

/// Lines of about 72 octets, an empty one after each paragraph, now and then two blanks.
fn prose_line(chance: &mut Sequence) -> String {
    let width = 40 + chance.below(32);
    let line = chance.words(width);
    let line = if chance.below(10) == 0 { line.replacen(' ', "  ", 1) } else { line };
    line + if chance.below(6) == 0 { "\r\n\r\n" } else { "\r\n" }
}

/// Exactly so many octets.
fn body(chance: &mut Sequence, kind: Body, octets: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(octets + 100);
    while body.len() < octets {
        body.extend_from_slice(kind.line(chance).as_bytes());
    }
    body.truncate(octets.saturating_sub(b"..\r\n".len()));
    // The cut may have left a CR, which would be bare.
    while body.last().is_some_and(|last| matches!(last, b'\r' | b'\n')) {
        body.pop();
    }
    body.resize(octets.saturating_sub(b"\r\n".len()), b'.');
    body.extend_from_slice(b"\r\n");
    body
}
