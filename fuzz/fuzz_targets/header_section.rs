//! A message is cut into fields and body the same way however it arrives, and no octet is lost or made up.
//!
//! Input: the size of the pieces, then the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::pieces;
use zi2_mail::{
    BodyCanon, DigestPlan, Digests, HashAlg, Header, HeaderCanon, Lane, Message, MessageReader, SmtpScan,
    crlf_from_file, limits, relaxed_value,
};

fuzz_target!(|data: &[u8]| {
    let Some((&size, message)) = data.split_first() else { return };
    let whole = Message::split(message);
    pieces_make_the_same_message(message, size, &whole);
    fields_lie_in_the_section(&whole.header);
    a_milter_sees_the_same(&whole.header);
    relaxed_twice_is_relaxed_once(&whole.header);
    digests_are_those_of_the_canonical_form(whole.body, size);
    smtp_carries_lines(message, size);
    let file = crlf_from_file(message);
    assert_eq!(crlf_from_file(&file), file);
});

fn pieces_make_the_same_message(message: &[u8], size: u8, whole: &Message<'_>) {
    let mut reader = MessageReader::new();
    let body: Vec<u8> = pieces(message, size).flat_map(|piece| reader.feed(piece).to_vec()).collect();
    let border: &[u8] = if reader.header_done() { b"\r\n" } else { b"" };
    let header = reader.into_header();
    assert_eq!((&header, &body[..]), (&whole.header, whole.body));
    assert_eq!([header.octets(), border, &body].concat(), message);
}

fn fields_lie_in_the_section(header: &Header<'_>) {
    let octets = header.octets();
    let mut end = 0;
    for field in header.fields() {
        assert!(field.offset() >= end);
        end = field.offset() + field.raw().len();
        assert_eq!(&octets[field.offset()..end], field.raw());
        assert_eq!([field.name(), b":", field.value()].concat(), field.raw());
        assert!(
            !field.name().is_empty() && field.name().iter().all(|octet| matches!(octet, b'!'..=b'9' | b';'..=b'~'))
        );
    }
    assert!(header.fields().len() <= limits::HEADER_FIELDS);
    match header.defect() {
        Some(defect) => assert!(defect.offset <= octets.len()),
        // The last field may lack its CRLF.
        None => assert!(section(header) == octets || section(header) == [octets, b"\r\n"].concat()),
    }
}

/// The fields and nothing else.
fn section(header: &Header<'_>) -> Vec<u8> {
    header.fields().flat_map(|field| [field.raw(), b"\r\n"].concat()).collect()
}

fn a_milter_sees_the_same(header: &Header<'_>) {
    // An MTA keeps each line end as a LF, so a stray one cannot be told from a fold.
    if header.defect().is_some() {
        return;
    }
    let mut builder = Header::builder();
    for field in header.fields() {
        let value: Vec<u8> = field.value().iter().copied().filter(|octet| *octet != b'\r').collect();
        builder.push(field.name(), &value);
    }
    assert_eq!(builder.finish(), Header::parse(&section(header)));
}

fn relaxed_twice_is_relaxed_once(header: &Header<'_>) {
    for field in header.fields() {
        let (mut once, mut twice) = (Vec::new(), field.name().to_ascii_lowercase());
        HeaderCanon::Relaxed.write(field, &mut once);
        twice.push(b':');
        relaxed_value(&once[twice.len()..], &mut twice);
        assert_eq!(once, twice);
    }
}

const CANONS: [BodyCanon; 3] = [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed];

fn digests_are_those_of_the_canonical_form(body: &[u8], size: u8) {
    let (lanes, digests) = digests(pieces(body, size));
    assert_eq!(digests.octets(), body.len() as u64);
    assert_eq!(digests.only_crlf(), body == b"\r\n".repeat(body.len() / 2));
    for (canon, lane) in CANONS.into_iter().zip(lanes) {
        let (of_form, form) = self::digests([canonical(canon, body).as_slice()]);
        assert_eq!(digests.get(lane), form.get(of_form[0]), "{canon:?}");
    }
}

fn digests<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> ([Lane; 3], Digests) {
    let mut plan = DigestPlan::new();
    let lanes = CANONS.map(|canon| plan.request(canon, HashAlg::Sha256));
    let mut digester = plan.start();
    pieces.into_iter().for_each(|piece| digester.feed(piece));
    (lanes, digester.finish())
}

/// RFC 6376 §3.4.3 and §3.4.4, line by line.
fn canonical(canon: BodyCanon, body: &[u8]) -> Vec<u8> {
    let mut lines = lines(body);
    match canon {
        BodyCanon::Raw => return body.to_vec(),
        BodyCanon::Simple => {}
        BodyCanon::Relaxed => lines.iter_mut().for_each(|line| *line = relaxed_line(line)),
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    let form = lines.into_iter().flat_map(|line| [&line, b"\r\n".as_slice()].concat()).collect::<Vec<u8>>();
    if form.is_empty() && canon == BodyCanon::Simple { b"\r\n".to_vec() } else { form }
}

/// What stands between CRLFs.
fn lines(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for octet in octets {
        let line = lines.last_mut().expect("there is always one");
        line.push(*octet);
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - b"\r\n".len());
            lines.push(Vec::new());
        }
    }
    lines
}

fn relaxed_line(line: &[u8]) -> Vec<u8> {
    let mut reduced = Vec::new();
    for octet in line {
        match octet {
            b' ' | b'\t' if reduced.last() == Some(&b' ') => {}
            b' ' | b'\t' => reduced.push(b' '),
            _ => reduced.push(*octet),
        }
    }
    if reduced.last() == Some(&b' ') {
        reduced.pop();
    }
    reduced
}

fn smtp_carries_lines(message: &[u8], size: u8) {
    let mut scan = SmtpScan::new();
    pieces(message, size).for_each(|piece| scan.feed(piece));
    let carries =
        |line: &Vec<u8>| line.len() <= limits::LINE_OCTETS && !line.iter().any(|octet| b"\r\n\0".contains(octet));
    assert_eq!(scan.finish().is_ok(), lines(message).iter().all(carries));
}
