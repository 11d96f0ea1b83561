//! Any sequence of frames: what the program sees does not depend on how they are cut, every answer owed is given once,
//! only replies we have are sent, and after an error nothing more happens.
//!
//! Input: the size of the pieces; four octets that say what the program does at its events; then frames, each a command
//! octet, the length of its payload in one octet, the payload.
#![no_main]

use std::num::NonZeroU32;

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::pieces;
use zi2_milter::{
    Actions, CommandKind, Edits, Event, HeaderName, HeaderValue, Outcome, Reason, ReplyCode, ReplyError, Session,
    State, SymbolStage, Verdict, Wishes, limits,
};

fuzz_target!(|data: &[u8]| {
    let [size, plan @ ..] = data else { return };
    let Some((plan, frames)) = plan.split_first_chunk::<4>() else { return };
    let frames = self::frames(frames);
    let whole = converse(*plan, &frames, 255);
    assert_eq!(converse(*plan, &frames, *size), whole);
});

/// What the MTA sends, one frame each.
fn frames(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let [command, length, rest @ ..] = input {
        let (payload, after) = rest.split_at(rest.len().min(usize::from(*length)));
        let length = u32::try_from(payload.len() + 1).expect("a short frame");
        frames.push([&length.to_be_bytes()[..], &[*command], payload].concat());
        input = after;
    }
    frames
}

/// What was seen and said, in words.
fn converse(plan: [u8; 4], frames: &[Vec<u8>], size: u8) -> Vec<String> {
    let mut talk = Talk { session: Session::new(wishes()), plan, seen: Vec::new(), answered: 0, owed: 0 };
    for frame in frames {
        let before = talk.session.state();
        for piece in pieces(frame, size) {
            talk.session.bytes(piece);
            if let Err(error) = talk.events() {
                talk.seen.push(error.clone());
                talk.nothing_happens_any_more();
                return talk.seen;
            }
        }
        talk.every_answer_is_given_once(before, frame[4]);
    }
    talk.seen
}

fn wishes() -> Wishes {
    let macros = vec![(SymbolStage::Mail, vec!["i", "{auth_authen}"])];
    Wishes { needed: Actions::NONE, welcome: Actions::USABLE, unwanted: Vec::new(), macros }
}

struct Talk {
    session: Session,
    plan: [u8; 4],
    seen: Vec<String>,
    /// Answers sent.
    answered: usize,
    /// Answers the MTA waited for.
    owed: usize,
}

impl Talk {
    fn events(&mut self) -> Result<(), String> {
        loop {
            let event = match self.session.next_event() {
                Err(error) => return Err(error.to_string()),
                Ok(None) => break,
                Ok(Some(seen)) => seen.event,
            };
            let words = format!("{event:?}");
            let ends = event == Event::EndOfMessage;
            self.seen.push(words);
            self.act(ends);
        }
        self.take_output();
        Ok(())
    }

    /// What the program does at the event just seen.
    fn act(&mut self, ends: bool) {
        let deed = self.plan[self.seen.len() % self.plan.len()];
        let in_message = self.session.state().in_message();
        let was = self.session.output().len();
        let done = match deed % 8 {
            0 => self.session.decide(verdict(deed / 8)),
            1 => self.session.skip_body(),
            2 => self.session.progress(),
            _ if ends => self.session.finish(&outcome(deed / 8)),
            _ => return,
        };
        match done {
            Ok(()) => assert!(in_message, "an answer that nobody waits for"),
            Err(ReplyError::NotAwaited) if deed % 8 == 2 => assert!(!ends),
            Err(ReplyError::NotAwaited) => assert!(!in_message),
            Err(ReplyError::NotGranted(_)) => assert!(ends),
        }
        if done.is_err() {
            assert_eq!(self.session.output().len(), was, "a refused answer sends nothing");
        }
    }

    fn take_output(&mut self) {
        let mut rest = self.session.output();
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).expect("32 bits");
            let (reply, after) = after.split_at(length);
            assert!(reply.len() <= LONGEST_REPLY, "{} octets", reply.len());
            assert!(b"Ocartdysphimq".contains(&reply[0]), "{:?} is none of our replies", char::from(reply[0]));
            self.answered += usize::from(b"Ocartdys".contains(&reply[0]));
            self.seen.push(reply.escape_ascii().to_string());
            rest = after;
        }
        assert!(rest.is_empty(), "half a reply");
        self.session.sent();
    }

    fn every_answer_is_given_once(&mut self, before: State, command: u8) {
        let kind = CommandKind::from_octet(command).expect("it was taken");
        let Some(agreed) = self.session.negotiated() else { return };
        self.owed += usize::from(agreed.is_answered(kind));
        // A message given up at its end waits no more.
        self.owed -= usize::from(before == State::Ending && self.session.state() != State::Ending);
        let waits = usize::from(self.session.state() == State::Ending);
        assert_eq!(self.answered + waits, self.owed, "{:?}", self.seen);
    }

    fn nothing_happens_any_more(&mut self) {
        self.take_output();
        for frame in [b"\0\0\0\x01A", b"\0\0\0\x01Q"] {
            let more = self.session.next_event().map(|seen| seen.is_some());
            assert_ne!(more, Ok(true), "an event after an error");
            assert!(self.session.output().is_empty(), "a reply after an error");
            self.session.bytes(frame);
        }
    }
}

/// A header edit; replies of one line and the negotiation are shorter.
const LONGEST_REPLY: usize = 1 + 4 + limits::HEADER_NAME + 1 + limits::HEADER_VALUE + 1;

fn verdict(number: u8) -> Verdict {
    match number % 5 {
        0 => Verdict::Accept,
        1 => Verdict::Reject,
        2 => Verdict::TempFail,
        3 => Verdict::Discard,
        _ => Verdict::Reply(ReplyCode::new(550, (5, 7, 1), "100% refused").expect("a reply")),
    }
}

fn outcome(number: u8) -> Outcome {
    let name = || HeaderName::new("X-ZI2-Verified").expect("a name");
    let value = || HeaderValue::new(" result=pass;\n level=1").expect("a value");
    let mut edits = Edits::new();
    let done = match number % 5 {
        0 => Ok(()),
        1 => edits.delete(name(), NonZeroU32::MIN),
        2 => edits.change(name(), NonZeroU32::MIN, value()),
        3 => edits.insert(0, name(), value()),
        _ => edits.append(name(), value()),
    };
    done.expect("one edit is not too many");
    let quarantine = (number >= 20).then(|| Reason::new("held").expect("a text"));
    let verdict = if number.is_multiple_of(2) { Verdict::Accept } else { verdict(number / 2) };
    Outcome { edits, quarantine, verdict }
}
