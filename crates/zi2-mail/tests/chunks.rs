//! No outcome depends on how a message is cut into pieces, and each agrees with a slow and plain reference.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panic")]

use aws_lc_rs::digest::{SHA256, digest};
use proptest::{collection::vec, prelude::*, sample};
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Header, Message, MessageReader, NotSmtp, SmtpScan};

/// Octets that matter to line ends and white space, and runs of them long enough to cross every block and buffer.
fn octets(pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] =
        &[b"\r", b"\n", b"\r\n", b" ", b"\t", b"a", b" \r\n", b"\r\n\r\n", b"  ", b"the words ", b"\0"];
    let piece = (sample::select(words), prop_oneof![20 => 1..4_usize, 3 => 50..90_usize, 1 => 400..600_usize]);
    vec(piece.prop_map(|(word, times)| word.repeat(times)), 0..pieces).prop_map(|pieces| pieces.concat())
}

/// A field section as it could be, most of the time.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"A: b\r\n",
        b"Subject: x\r\n y\r\n",
        b"To:\r\n",
        b"no field\r\n",
        b" folded\r\n",
        b"\t\r\n",
        b"\r\n",
        b"B : c\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"C: ",
        b"d",
        b":",
        b" ",
    ];
    vec(sample::select(words), 0..24).prop_map(|words| words.concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(1..4_usize, 1..6), vec(1..200_usize, 1..20), vec(1..20_000_usize, 1..4)]
}

/// Pieces of the sizes given, over and over.
fn cut<'a>(mut octets: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        let (piece, rest) = octets.split_at((*size).min(octets.len()));
        pieces.push(piece);
        octets = rest;
        if octets.is_empty() {
            break;
        }
    }
    pieces
}

/// The message without these octets, save those of its CRLFs.
fn without(octets: &[char], message: Vec<u8>) -> Vec<u8> {
    let message = String::from_utf8(message).unwrap();
    message.split("\r\n").map(|line| line.replace(octets, "")).collect::<Vec<_>>().join("\r\n").into_bytes()
}

/// RFC 6376 §3.4.3 and §3.4.4, line by line.
fn reference(canon: BodyCanon, body: &[u8]) -> Vec<u8> {
    if canon == BodyCanon::Raw {
        return body.to_vec();
    }
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
    if canon == BodyCanon::Relaxed {
        lines = lines.iter().map(|line| relaxed_line(line)).collect();
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let whole: String = lines.iter().map(|line| line.clone() + "\r\n").collect();
    if whole.is_empty() && canon == BodyCanon::Simple { b"\r\n".to_vec() } else { whole.into_bytes() }
}

fn relaxed_line(line: &str) -> String {
    let mut reduced = String::new();
    for octet in line.trim_end_matches([' ', '\t']).chars().map(|octet| if octet == '\t' { ' ' } else { octet }) {
        if octet != ' ' || !reduced.ends_with(' ') {
            reduced.push(octet);
        }
    }
    reduced
}

/// zi2.md §3, octet by octet.
fn not_smtp(message: &[u8]) -> Result<(), NotSmtp> {
    let next = |at: usize| message.get(at + 1);
    let any = |bad: &dyn Fn(usize) -> bool| (0..message.len()).any(bad);
    if message.contains(&0) {
        Err(NotSmtp::Nul)
    } else if any(&|at| message[at] == b'\r' && next(at) != Some(&b'\n')) {
        Err(NotSmtp::BareCr)
    } else if any(&|at| message[at] == b'\n' && (at == 0 || message[at - 1] != b'\r')) {
        Err(NotSmtp::BareLf)
    } else if String::from_utf8(message.to_vec()).unwrap().split("\r\n").any(|line| line.len() > 998) {
        Err(NotSmtp::LongLine)
    } else {
        Ok(())
    }
}

fn split(message: &[u8], pieces: &[&[u8]]) -> Result<(), TestCaseError> {
    let mut reader = MessageReader::new();
    let body: Vec<u8> = pieces.iter().flat_map(|piece| reader.feed(piece).to_vec()).collect();
    let whole = Message::split(message);
    let done = reader.header_done();
    prop_assert_eq!(Message { header: reader.into_header(), body: &body }, whole);
    let by_search = message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let by_search = if message.starts_with(b"\r\n") { Some(2) } else { by_search };
    prop_assert_eq!(body, &message[by_search.unwrap_or(message.len())..]);
    prop_assert_eq!(done, by_search.is_some());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn digests(body in octets(24), sizes in cuts(), wanted in 1..8_usize, first in 0..40_u64) {
        // Any of the forms, alone and together: they share work, which must not show.
        let canons = [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed];
        let canons: Vec<BodyCanon> = canons.into_iter().filter(|canon| wanted & 1 << *canon as usize != 0).collect();
        let mut plan = DigestPlan::new();
        let mut lanes = |canon| (plan.request(canon, HashAlg::Sha256), plan.request_first(canon, HashAlg::Sha256, first));
        let lanes: Vec<_> = canons.iter().map(|canon| lanes(*canon)).collect();
        plan.request_smtp();
        let mut digester = plan.start();
        cut(&body, &sizes).iter().for_each(|piece| digester.feed(piece));
        let digests = digester.finish();
        for (canon, (whole, counted)) in canons.into_iter().zip(lanes) {
            let form = reference(canon, &body);
            let begin = form.get(..usize::try_from(first).unwrap()).unwrap_or(&form);
            let [expected, first] = [&form, begin].map(|octets| digest(&SHA256, octets));
            prop_assert_eq!(digests.get(whole), expected.as_ref(), "{:?}", canon);
            prop_assert_eq!(digests.get(counted), first.as_ref(), "{:?}", canon);
            prop_assert_eq!(digests.canonical_octets(counted), Some(form.len() as u64));
        }
        prop_assert_eq!(digests.octets(), body.len() as u64);
        prop_assert_eq!(digests.only_crlf(), body == b"\r\n".repeat(body.len() / 2));
        prop_assert_eq!(digests.smtp(), Some(not_smtp(&body)));
    }

    #[test]
    fn smtp(message in octets(12), sizes in cuts(), clean in any::<bool>()) {
        // Mostly there is a bare CR or LF; half of the cases get rid of them, to see the other outcomes too.
        let message = if clean { without(&['\r', '\n', '\0'], message) } else { message };
        let mut scan = SmtpScan::new();
        cut(&message, &sizes).iter().for_each(|piece| scan.feed(piece));
        prop_assert_eq!(scan.finish(), not_smtp(&message));
    }

    #[test]
    fn messages(message in message(), sizes in cuts()) {
        split(&message, &cut(&message, &sizes))?;
        split(&message, &cut(&message, &[1]))?;
        for at in 0..=message.len() {
            split(&message, &[&message[..at], &message[at..]])?;
        }
    }

    #[test]
    fn a_milter_sees_the_same_header(message in message()) {
        // A stray LF never gets to a milter: the MTA keeps it as a line end, so that it cannot be told from a fold.
        let message = without(&['\n'], message);
        let parsed = Header::parse(&message);
        // What the MTA would make a milter event of: the fields.
        let section: String = parsed.fields().map(|field| String::from_utf8_lossy(field.raw()).into_owned() + "\r\n").collect();
        let parsed = Header::parse(section.as_bytes());
        let mut builder = Header::builder();
        for field in parsed.fields() {
            builder.push(field.name(), String::from_utf8_lossy(field.value()).replace("\r\n", "\n").as_bytes());
        }
        prop_assert_eq!(builder.finish(), parsed);
    }
}
