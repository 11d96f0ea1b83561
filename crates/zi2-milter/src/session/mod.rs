//! One connection of an MTA as a value: octets in, events out, replies in, octets out. It never blocks, has no clock,
//! and keeps nothing of a message but its macros.

mod event;
mod macros;
mod state;

pub use event::{Event, Seen};
pub use macros::Macros;
pub use state::State;

use crate::codec::{Actions, Command, CommandKind, FrameError, FrameReader, Malformed, Outcome, Reply, Verdict};
use crate::limits;
use crate::negotiation::{LeadingSpace, Negotiated, NegotiationError, Wishes};
use state::Move;

/// Why a connection must be closed; the MTA is at fault. What it sends next cannot be trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The stream has no frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A payload is wrong.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A command came when it must not.
    #[error("the MTA sent {command:?} in the state {state:?}")]
    Order {
        /// The command.
        command: CommandKind,
        /// The state it came in.
        state: State,
    },
    /// There is nothing to agree on.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
}

/// A reply that must not be sent now; the program is at fault and nothing was sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplyError {
    /// No message waits for it.
    #[error("no message waits for this answer")]
    NotAwaited,
    /// The MTA did not grant what the answer needs.
    #[error("the MTA did not grant {0:?}, which this answer needs")]
    NotGranted(Actions),
}

/// One connection. Events are answered as the negotiation asks: what the program leaves open is continued at the next
/// [`next_event`](Session::next_event), except the end of message, which waits for [`finish`](Session::finish).
#[derive(Debug)]
pub struct Session {
    reader: FrameReader,
    wishes: Wishes,
    negotiated: Option<Negotiated>,
    state: State,
    /// The event the MTA waits for an answer to.
    owed: Option<CommandKind>,
    message: MessageState,
    macros: Macros,
    output: Vec<u8>,
}

/// What is known of the message, made anew for each.
#[derive(Debug, Default)]
struct MessageState {
    /// Decided before its end: the rest is not shown.
    decided: Option<Verdict>,
    body: BodyState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum BodyState {
    #[default]
    Wanted,
    /// The program has seen enough.
    Skipped,
    /// The chunk inside the end of message was shown.
    LastShown,
}

/// What to do with the frame at the front.
enum Step {
    /// Consume and show it.
    Show,
    /// Show its payload as body and leave it.
    ShowLastBody,
    /// Show that the message is gone and leave it.
    ShowAborted,
    /// Consume it.
    Hide,
}

impl Session {
    /// A connection on which nothing was said yet.
    pub fn new(wishes: Wishes) -> Session {
        Session {
            reader: FrameReader::new(),
            wishes,
            negotiated: None,
            state: State::Start,
            owed: None,
            message: MessageState::default(),
            macros: Macros::default(),
            output: Vec::new(),
        }
    }

    /// Takes octets from the MTA. Take the events out before giving more.
    pub fn bytes(&mut self, octets: &[u8]) {
        self.reader.push(octets);
    }

    /// Room to read into without a copy, never empty; then call [`filled`](Self::filled).
    pub fn space(&mut self) -> &mut [u8] {
        self.reader.space()
    }

    /// Says how much of [`space`](Self::space) was filled.
    pub fn filled(&mut self, octets: usize) {
        self.reader.filled(octets);
    }

    /// The next event, or none until more octets are here. After an error the connection must be closed.
    ///
    /// # Errors
    /// [`ProtocolError`]; what the MTA must not send is never skipped over.
    pub fn next_event(&mut self) -> Result<Option<Seen<'_>>, ProtocolError> {
        self.settle();
        loop {
            let Some(front) = self.reader.front()? else { return Ok(None) };
            let event = match self.step(front.kind, self.reader.payload(front).is_empty())? {
                Step::Show => match Command::parse(front.kind, self.reader.take(front)) {
                    Err(malformed) => {
                        (self.state, self.owed) = (State::Closed, None);
                        return Err(malformed.into());
                    }
                    Ok(Command::OptNeg(offer)) => {
                        let agreed =
                            Negotiated::from_offer(&self.wishes, offer).inspect_err(|_| self.state = State::Closed)?;
                        let macros = &agreed.requests(&self.wishes);
                        Reply::OptNeg { answer: agreed.answer(), macros }
                            .encode(agreed.leading_space(), &mut self.output);
                        Some(Event::Negotiated(*self.negotiated.insert(agreed)))
                    }
                    Ok(command) => Event::of(command),
                },
                Step::ShowLastBody => Some(Event::Body(self.reader.payload(front))),
                Step::ShowAborted => Some(Event::Aborted),
                Step::Hide => {
                    match Command::parse(front.kind, self.reader.take(front)) {
                        Ok(Command::Macros(frame)) => self.macros.set(frame),
                        Ok(_) => {}
                        Err(malformed) => {
                            (self.state, self.owed) = (State::Closed, None);
                            return Err(malformed.into());
                        }
                    }
                    self.settle();
                    continue;
                }
            };
            return Ok(event.map(|event| Seen { event, macros: &self.macros }));
        }
    }

    /// Decides the open message before its end: the rest of it is not shown. The MTA hears it at once where it waits
    /// for an answer about the whole message, else at its end.
    ///
    /// # Errors
    /// [`ReplyError::NotAwaited`] outside a message.
    pub fn decide(&mut self, verdict: Verdict) -> Result<(), ReplyError> {
        match (self.state, self.owed) {
            (State::Ending, _) => return self.finish(&Outcome::from(verdict)),
            (state, _) if !state.in_message() => return Err(ReplyError::NotAwaited),
            // An answer to RCPT is about one recipient only.
            (_, None | Some(CommandKind::Rcpt)) => self.message.decided = Some(verdict),
            (_, Some(_)) => {
                verdict.early_reply().encode(self.leading_space(), &mut self.output);
                self.end_message();
                self.state = State::Idle;
            }
        }
        Ok(())
    }

    /// No more body chunks of the open message: further ones are not shown, and not sent if the MTA can do that.
    ///
    /// # Errors
    /// [`ReplyError::NotAwaited`] outside a message.
    pub fn skip_body(&mut self) -> Result<(), ReplyError> {
        if !self.state.in_message() {
            return Err(ReplyError::NotAwaited);
        }
        if self.message.body == BodyState::Wanted {
            self.message.body = BodyState::Skipped;
        }
        Ok(())
    }

    /// Answers the end of message.
    ///
    /// # Errors
    /// [`ReplyError`]; then nothing was sent and another answer is due.
    pub fn finish(&mut self, outcome: &Outcome) -> Result<(), ReplyError> {
        if self.state != State::Ending {
            return Err(ReplyError::NotAwaited);
        }
        let space = self.leading_space();
        if outcome.verdict == Verdict::Accept {
            self.check_granted(outcome)?;
            outcome.edits.replies().for_each(|edit| edit.encode(space, &mut self.output));
            if let Some(reason) = &outcome.quarantine {
                Reply::Quarantine(reason).encode(space, &mut self.output);
            }
        }
        outcome.verdict.final_reply().encode(space, &mut self.output);
        self.end_message();
        self.state = State::Idle;
        Ok(())
    }

    /// Tells an MTA that waits at the end of a message that we are still at it.
    ///
    /// # Errors
    /// [`ReplyError::NotAwaited`] elsewhere.
    pub fn progress(&mut self) -> Result<(), ReplyError> {
        if self.state != State::Ending {
            return Err(ReplyError::NotAwaited);
        }
        Reply::Progress.encode(self.leading_space(), &mut self.output);
        Ok(())
    }

    /// Octets to send to the MTA.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The octets of [`output`](Self::output) were sent.
    pub fn sent(&mut self) {
        self.output.clear();
        self.output.shrink_to(limits::BUFFER_KEPT);
    }

    /// What was agreed, once it is.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// The macros in force.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// The value of a macro, with or without braces.
    pub fn macro_value(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.macros.value(name)
    }

    /// Where the conversation stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the beginning of a frame is here and its end is not.
    pub fn is_inside_frame(&self) -> bool {
        self.reader.is_partial()
    }

    /// How many frames were consumed so far.
    pub(crate) fn frames(&self) -> u64 {
        self.reader.taken()
    }

    /// Moves to the state after a command and says what to do with its frame.
    fn step(&mut self, kind: CommandKind, is_empty: bool) -> Result<Step, ProtocolError> {
        let before = self.state;
        let shown = self.message.decided.is_none();
        let next = match before.after(kind) {
            Move::To(next) => next,
            Move::GiveUp => {
                self.end_message();
                self.state = State::Idle;
                // One level deep: in the idle state no command gives a message up.
                return if shown { Ok(Step::ShowAborted) } else { self.step(kind, is_empty) };
            }
            Move::Refuse => return Err(ProtocolError::Order { command: kind, state: before }),
        };
        let wants_body = shown && self.message.body == BodyState::Wanted;
        match kind {
            CommandKind::Macros => return Ok(Step::Hide),
            CommandKind::Abort | CommandKind::QuitNewConnection => {
                self.end_message();
                self.state = next;
                if kind == CommandKind::QuitNewConnection {
                    self.macros.end_client();
                }
                return Ok(if shown && before.in_message() { Step::Show } else { Step::Hide });
            }
            CommandKind::EndOfMessage if wants_body && !is_empty => {
                self.message.body = BodyState::LastShown;
                return Ok(Step::ShowLastBody);
            }
            _ => self.state = next,
        }
        self.owed = self.negotiated.filter(|agreed| agreed.is_answered(kind)).map(|_| kind);
        let is_shown = match kind {
            CommandKind::Unknown => false,
            CommandKind::Body => wants_body,
            _ => shown || !next.in_message(),
        };
        Ok(if is_shown { Step::Show } else { Step::Hide })
    }

    /// Answers what the program left open, and the end of a message that was decided before it.
    fn settle(&mut self) {
        let space = self.leading_space();
        match self.owed {
            None => {}
            Some(CommandKind::EndOfMessage) => {
                if let Some(verdict) = self.message.decided.take() {
                    verdict.final_reply().encode(space, &mut self.output);
                    self.end_message();
                    self.state = State::Idle;
                }
            }
            Some(kind) => {
                let enough = self.message.body != BodyState::Wanted || self.message.decided.is_some();
                let can_skip = self.negotiated.is_some_and(|agreed| agreed.can_skip());
                let skip = kind == CommandKind::Body && enough && can_skip;
                if skip { Reply::Skip } else { Reply::Continue }.encode(space, &mut self.output);
                self.owed = None;
            }
        }
    }

    fn end_message(&mut self) {
        self.owed = None;
        self.message = MessageState::default();
        self.macros.end_message();
    }

    fn check_granted(&self, outcome: &Outcome) -> Result<(), ReplyError> {
        let granted = self.negotiated.map_or(Actions::NONE, |agreed| agreed.actions);
        let uses = [
            (outcome.edits.adds_fields(), Actions::ADD_HEADERS),
            (outcome.edits.changes_fields(), Actions::CHANGE_HEADERS),
            (outcome.quarantine.is_some(), Actions::QUARANTINE),
        ];
        let missing = uses.into_iter().find(|(used, action)| *used && !granted.contains(*action));
        missing.map_or(Ok(()), |(_, action)| Err(ReplyError::NotGranted(action)))
    }

    fn leading_space(&self) -> LeadingSpace {
        self.negotiated.map_or(LeadingSpace::Lost, |agreed| agreed.leading_space())
    }
}
