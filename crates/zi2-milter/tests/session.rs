//! Conversations on the public surface: what real MTAs say, what hostile ones try, and any cut of either.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use std::num::NonZeroU32;
use zi2_milter::{
    Actions, Edits, Event, HeaderName, HeaderValue, OptNeg, Outcome, Protocol, ProtocolError, Reason, ReplyCode,
    ReplyError, Session, State, Unwanted, Verdict, Wishes,
};

fn frame(octet: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(payload.len() + 1).unwrap().to_be_bytes().to_vec();
    out.push(octet);
    out.extend_from_slice(payload);
    out
}

/// One frame per letter, with an ordinary payload.
fn frames(letters: &str) -> Vec<u8> {
    letters.bytes().flat_map(|letter| frame(letter, payload(letter))).collect()
}

fn payload(letter: u8) -> &'static [u8] {
    match letter {
        b'O' => b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff",
        b'C' => b"h\x004\0\x19192.0.2.1\0",
        b'H' => b"mx\0",
        b'M' => b"<a@b>\0",
        b'R' => b"c@d\0",
        b'L' => b"To\0 x\0",
        b'B' => b"body",
        b'U' => b"VRFY\0",
        b'D' => b"Mi\0Q1\0{auth_authen}\0al\0",
        _ => b"",
    }
}

/// The letters of the events, an answer at each end of message; then the error, if any.
fn events(session: &mut Session, octets: &[u8], cut: usize) -> (String, Option<ProtocolError>) {
    let mut seen = String::new();
    for piece in octets.chunks(cut) {
        session.bytes(piece);
        loop {
            let ends = match session.next_event() {
                Err(error) => return (seen, Some(error)),
                Ok(None) => break,
                Ok(Some(event)) => {
                    seen.push(letter(event.event));
                    event.event == Event::EndOfMessage
                }
            };
            if ends {
                session.finish(&Verdict::Accept.into()).unwrap();
            }
        }
    }
    (seen, None)
}

fn letter(event: Event<'_>) -> char {
    match event {
        Event::Negotiated(_) => 'O',
        Event::Connected(_) => 'C',
        Event::Helo(_) => 'H',
        Event::MailFrom(_) => 'M',
        Event::RcptTo(_) => 'R',
        Event::Data => 'T',
        Event::Header { .. } => 'L',
        Event::EndOfHeaders => 'N',
        Event::Body(_) => 'B',
        Event::EndOfMessage => 'E',
        Event::Aborted => 'a',
        Event::Closed => 'Q',
    }
}

#[test]
fn conversations_of_real_mtas() {
    let table = [
        ("ABORT twice, then QUIT", "OCHMRTLLNBEAAQ", "OCHMRTLLNBEQ"),
        ("QUIT without ABORT", "OCHMRTLNBEQ", "OCHMRTLNBEQ"),
        ("several messages", "OCHMRTLNBEMRRTLNBEQ", "OCHMRTLNBEMRRTLNBEQ"),
        ("HELO again after STARTTLS", "OCHAHMRTLNBEAQ", "OCHHMRTLNBEQ"),
        ("QUIT_NC and another client", "OCHMRTLNBEKCHMRTLNBEQ", "OCHMRTLNBECHMRTLNBEQ"),
        ("QUIT_NC inside a message", "OCHMRKCHQ", "OCHMRaCHQ"),
        ("no body", "OCHMRTLNEQ", "OCHMRTLNEQ"),
        ("no header", "OCHMRTNBEQ", "OCHMRTNBEQ"),
        ("no DATA", "OCHMRLNBEQ", "OCHMRLNBEQ"),
        ("no HELO, no RCPT", "OCMLNEQ", "OCMLNEQ"),
        ("RSET before DATA", "OCHMRAMRTLNEQ", "OCHMRaMRTLNEQ"),
        ("client starts over without RSET", "OCHMRMRTLNEQ", "OCHMRaMRTLNEQ"),
        ("EHLO inside a transaction", "OCHMRHMRTNEQ", "OCHMRaHMRTNEQ"),
        ("given up inside the body", "OCHMRTLNBBAMRTNEQ", "OCHMRTLNBBaMRTNEQ"),
        ("unknown commands", "OCUHUMUNEQ", "OCHMNEQ"),
        ("macros everywhere", "ODCDHDMDRDTDLDNDBDEDAQ", "OCHMRTLNBEQ"),
        ("ABORT before CONNECT (XCLIENT)", "OAQ", "OQ"),
        ("a scan of the port", "Q", "Q"),
    ];
    for (what, said, seen) in table {
        for cut in [1, 3, 4096] {
            let mut session = Session::new(Wishes::header_edits());
            assert_eq!(events(&mut session, &frames(said), cut), (seen.to_owned(), None), "{what}");
        }
    }
}

#[test]
fn broken_order_is_an_error() {
    let table = [
        "C", "A", "OO", "OM", "OCC", "OCHR", "OCHT", "OCHL", "OCHE", "OCHMB", "OCHMLB", "OCHMTR", "OCHMNL", "OCHMNT",
        "OCHMLM", "OCHMNBM", "OCHMNBH", "OCHMNEE", "OCHQC",
    ];
    for said in table {
        let (_, error) = events(&mut Session::new(Wishes::header_edits()), &frames(said), 4096);
        assert!(matches!(error, Some(ProtocolError::Order { .. })), "{said}: {error:?}");
    }
}

#[test]
fn nothing_may_follow_an_end_of_message_but_giving_up() {
    for (said, good) in [("A", true), ("Q", true), ("K", true), ("M", false), ("B", false), ("D", false), ("E", false)]
    {
        let mut session = Session::new(Wishes::header_edits());
        session.bytes(&frames("OCHMNE"));
        while session.state() != State::Ending {
            session.next_event().unwrap();
        }
        session.bytes(&frames(said));
        assert_eq!(session.next_event().is_ok(), good, "{said}");
        assert_eq!(session.finish(&Verdict::Accept.into()).is_ok(), !good, "an answer nobody waits for");
    }
}

#[test]
fn macros_of_a_message_end_with_it() {
    let ends = ["MRTLNBE", "MRA", "MRTLNBA", "MRK", "A"];
    for said in ends {
        let mut session = Session::new(Wishes::header_edits());
        let mut octets = frames("O");
        octets.extend(frame(b'D', b"Cj\0mx.example\0"));
        octets.extend(frames("CH"));
        octets.extend(frames("D"));
        assert_eq!(events(&mut session, &octets, 7).1, None);
        assert_eq!(session.macro_value("i"), Some(&b"Q1"[..]));
        assert_eq!(events(&mut session, &frames(said), 7).1, None);
        assert_eq!((session.macro_value("i"), session.macro_value("{auth_authen}")), (None, None), "{said}");
        assert_eq!(session.macro_value("j").is_some(), said != "MRK", "{said}");
    }
}

/// The letters of the replies in the output.
fn replies(session: &mut Session) -> String {
    let mut letters = String::new();
    let mut rest = session.output();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        letters.push(char::from(after[0]));
        rest = &after[u32::from_be_bytes(*length) as usize..];
    }
    session.sent();
    letters
}

fn offer(actions: u32, protocol: u32) -> Vec<u8> {
    let payload = [6, actions, protocol].map(u32::to_be_bytes).concat();
    frame(b'O', &payload)
}

#[test]
fn every_answer_owed_is_given_and_no_other() {
    let nr = Protocol::NO_REPLIES.bits();
    let table = [
        (0, "CHMRTLLNBBE", "Occccccccccc"),
        (nr, "CHMRTLLNBBE", "Oc"),
        (nr & !Protocol::NR_HEADER.bits(), "CHMRTLLNBBE", "Occc"),
        (nr & !Protocol::NR_BODY.bits(), "CHMRTLLNBBE", "Occc"),
        (0, "CUA", "Occ"),
        (0, "CHMAAMNEQ", "Occcccc"),
    ];
    for (protocol, said, expected) in table {
        let mut session = Session::new(Wishes { unwanted: vec![], ..Wishes::header_edits() });
        let octets = [offer(0x1ff, protocol), frames(said)].concat();
        assert_eq!(events(&mut session, &octets, 5).1, None, "{said}");
        assert_eq!(replies(&mut session), expected, "{protocol:#x} {said}");
    }
}

/// Shows events up to one of this letter.
fn until(session: &mut Session, wanted: char) {
    loop {
        let seen = session.next_event().unwrap().expect("an event");
        if letter(seen.event) == wanted {
            return;
        }
    }
}

#[test]
fn enough_of_the_body() {
    for (protocol, body_replies) in [(0, "cc"), (Protocol::SKIP.bits(), "ss"), (Protocol::NR_BODY.bits(), "")] {
        let mut session = Session::new(Wishes::header_edits());
        session.bytes(&[offer(0x1ff, protocol), frames("CMNBBE")].concat());
        until(&mut session, 'B');
        replies(&mut session);
        session.skip_body().unwrap();
        until(&mut session, 'E');
        assert_eq!(replies(&mut session), body_replies, "{protocol:#x}");
        session.finish(&Verdict::Accept.into()).unwrap();
        assert_eq!(replies(&mut session), "c");
    }
}

#[test]
fn a_verdict_before_the_end() {
    // Where the MTA waits it hears at once; else at the end, and the program sees nothing more.
    for (protocol, at, rest, expected, events_left) in [
        (0, 'M', "Q", "t", "Q"),
        (0, 'R', "TLNBEQ", "ccccct", "Q"),
        (0, 'N', "AMNEQ", "tccc", "MNEQ"),
        (Protocol::NO_REPLIES.bits(), 'M', "RTLNBEMNEQ", "tc", "MNEQ"),
        (Protocol::NO_REPLIES.bits(), 'N', "BEQ", "t", "Q"),
        (Protocol::NO_REPLIES.bits(), 'M', "RAMNEQ", "c", "MNEQ"),
        (Protocol::NO_REPLIES.bits(), 'M', "MNEQ", "c", "MNEQ"),
    ] {
        let mut session = Session::new(Wishes::header_edits());
        let before = if at == 'M' {
            "CM"
        } else if at == 'R' {
            "CMR"
        } else {
            "CMN"
        };
        session.bytes(&[offer(0x1ff, protocol), frames(before)].concat());
        until(&mut session, at);
        replies(&mut session);
        session.decide(Verdict::TempFail).unwrap();
        let (seen, error) = events(&mut session, &frames(rest), 4);
        assert_eq!((seen.as_str(), error), (events_left, None), "{at} {rest}");
        assert_eq!(replies(&mut session), expected, "{at} {rest}");
    }
}

#[test]
fn answers_that_were_not_granted() {
    let wishes = || Wishes { needed: Actions::NONE, welcome: Actions::USABLE, ..Wishes::header_edits() };
    let (name, value) = (HeaderName::new("X").unwrap(), HeaderValue::new(" y").unwrap());
    let (mut added, mut deleted) = (Edits::new(), Edits::new());
    added.insert(0, name.clone(), value).unwrap();
    deleted.delete(name, NonZeroU32::MIN).unwrap();
    let quarantine = Some(Reason::new("held").unwrap());
    let accept = |edits, quarantine| Outcome { edits, quarantine, verdict: Verdict::Accept };
    let table = [
        (accept(added.clone(), None), Actions::ADD_HEADERS, "ic"),
        (accept(deleted, None), Actions::CHANGE_HEADERS, "mc"),
        (accept(Edits::new(), quarantine), Actions::QUARANTINE, "qc"),
    ];
    for (outcome, action, expected) in table {
        for (granted, result) in [(action, Ok(())), (Actions::NONE, Err(ReplyError::NotGranted(action)))] {
            let mut session = Session::new(wishes());
            session.bytes(&[offer(granted.bits(), 0x1f_ffff), frames("CMNE")].concat());
            until(&mut session, 'E');
            replies(&mut session);
            assert_eq!(session.finish(&outcome), result);
            assert_eq!(replies(&mut session), if result.is_ok() { expected } else { "" });
        }
    }
    let mut session = Session::new(wishes());
    assert_eq!(session.decide(Verdict::Accept), Err(ReplyError::NotAwaited));
    assert_eq!(session.skip_body(), Err(ReplyError::NotAwaited));
    assert_eq!(session.progress(), Err(ReplyError::NotAwaited));
    session.bytes(&frames("OCMNE"));
    until(&mut session, 'E');
    session.progress().unwrap();
    let reply = Verdict::Reply(ReplyCode::new(550, (5, 7, 1), "no").unwrap());
    session.finish(&Outcome { edits: added, quarantine: None, verdict: reply }).unwrap();
    assert_eq!(replies(&mut session), "Opy", "a refused message is not edited");
}

#[test]
fn last_chunk_inside_the_end_of_message() {
    for (skip, expected) in [(false, "BBE"), (true, "BE")] {
        let mut session = Session::new(Wishes::header_edits());
        session.bytes(&[frames("OCMNB"), frame(b'E', b"tail")].concat());
        until(&mut session, 'B');
        if skip {
            session.skip_body().unwrap();
        }
        let (seen, _) = events(&mut session, &[], 1);
        let mut all = format!("B{seen}");
        while let Some(event) = session.next_event().unwrap() {
            all.push(letter(event.event));
        }
        assert_eq!(all, expected);
    }
}

#[test]
fn unwanted_commands_are_negotiated_away() {
    let unwanted = vec![Unwanted::Helo, Unwanted::Rcpt, Unwanted::Data, Unwanted::Body, Unwanted::Unknown];
    let mut session = Session::new(Wishes { unwanted, ..Wishes::header_edits() });
    session.bytes(&frames("O"));
    until(&mut session, 'O');
    assert_eq!(session.negotiated().unwrap().protocol.bits() & 0x37f, 0x31a);
    assert_eq!(session.negotiated().unwrap().version, OptNeg::VERSION_6.version);
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop_oneof![
        9 => Just("OCH").boxed(),
        1 => Just("O").boxed(),
    ];
    const PARTS: &[&str] =
        &["MRTLNBE", "DMDRTLLNBBE", "MA", "A", "K", "C", "H", "U", "M", "R", "T", "L", "N", "B", "E", "D", "Q"];
    (letters, prop::collection::vec(prop::sample::select(PARTS), 0..12))
        .prop_map(|(start, parts)| frames(&(start.to_owned() + &parts.concat())))
}

proptest! {
    #[test]
    fn any_cut_gives_the_same(octets in said(), cut in 1usize..64) {
        let run = |cut| {
            let mut session = Session::new(Wishes::header_edits());
            let seen = events(&mut session, &octets, cut);
            (seen, session.state(), session.output().to_vec())
        };
        prop_assert_eq!(run(octets.len().max(1)), run(cut));
    }

    #[test]
    fn any_octets_end_in_an_error_or_wait(octets in prop::collection::vec(any::<u8>(), 0..600), cut in 1usize..64) {
        let _ = events(&mut Session::new(Wishes::header_edits()), &octets, cut);
    }

    #[test]
    fn any_payload_ends_in_an_error_or_an_event(
        letters in prop::collection::vec((prop::sample::select(&b"DCHMRTLNBEAKU"[..]), prop::collection::vec(0u8..4, 0..12)), 0..20),
    ) {
        let octets: Vec<u8> = frames("O").into_iter().chain(letters.iter().flat_map(|(l, p)| frame(*l, p))).collect();
        let _ = events(&mut Session::new(Wishes::header_edits()), &octets, 9);
    }
}
