//! A message kept while it arrives, for whoever needs its body as a whole: no more of one than is bounded, and no more of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zi2_mail::Header;
use zi2_sig::dkim2::Unkept;

use crate::limits;

/// The room that bodies of all messages under way share.
#[derive(Clone, Debug)]
pub struct BodyRoom {
    left: Arc<AtomicUsize>,
}

impl Default for BodyRoom {
    fn default() -> BodyRoom {
        BodyRoom::of(limits::KEPT_TOGETHER)
    }
}

impl BodyRoom {
    /// So many octets.
    pub fn of(octets: usize) -> BodyRoom {
        BodyRoom { left: Arc::new(AtomicUsize::new(octets)) }
    }

    fn share(&self) -> Share {
        Share { room: Arc::clone(&self.left), octets: 0 }
    }
}

/// What one message takes of the room, until it is gone.
#[derive(Debug)]
struct Share {
    room: Arc<AtomicUsize>,
    octets: usize,
}

impl Share {
    fn grow(&mut self, octets: usize) -> Result<(), Unkept> {
        let less = |left: usize| left.checked_sub(octets);
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map_err(|_| Unkept::NoRoom)?;
        self.octets = self.octets.saturating_add(octets);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.fetch_add(self.octets, Ordering::Relaxed);
    }
}

/// A whole body, with its share of the room.
#[derive(Debug)]
struct Body {
    octets: Vec<u8>,
    share: Share,
}

impl Body {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), Unkept> {
        if self.octets.len().saturating_add(chunk.len()) > limits::KEPT_BODY {
            return Err(Unkept::TooLarge);
        }
        self.share.grow(chunk.len())?;
        self.octets.extend_from_slice(chunk);
        Ok(())
    }
}

/// A message as it was received, every octet of it.
#[derive(Clone, Debug)]
pub struct Received {
    section: Arc<[u8]>,
    body: Arc<Body>,
}

impl Received {
    /// The header section, without the empty line after it.
    pub fn section(&self) -> &[u8] {
        &self.section
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body.octets
    }
}

/// A message that is being kept: the header section, and the body where somebody wants it.
pub(crate) struct Keeper {
    section: Arc<[u8]>,
    body: Option<Result<Body, Unkept>>,
    purpose: Purpose,
}

/// Until when a message is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Until it is judged.
    Judging,
    /// Until whoever sends it on is done with it.
    SendingOn,
}

impl Keeper {
    pub(crate) fn new(header: &Header<'_>) -> Keeper {
        Keeper { section: header.octets().into(), body: None, purpose: Purpose::Judging }
    }

    /// Keeps all of it for whoever sends it on. Call it before the body.
    pub(crate) fn send_on(&mut self, room: &BodyRoom) {
        self.purpose = Purpose::SendingOn;
        self.want_body(room);
    }

    /// Keeps the body, too. Call it before the body.
    pub(crate) fn want_body(&mut self, room: &BodyRoom) {
        self.body.get_or_insert_with(|| Ok(Body { octets: Vec::new(), share: room.share() }));
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        if let Some(Ok(body)) = &mut self.body
            && let Err(unkept) = body.feed(chunk)
        {
            self.body = Some(Err(unkept)); // what was kept goes at once
        }
    }

    pub(crate) fn finish(self) -> Kept {
        let Keeper { section, body, purpose } = self;
        let whole = body.map(|body| body.map(|body| Received { section: Arc::clone(&section), body: Arc::new(body) }));
        Kept { section, whole, purpose }
    }
}

/// What was kept.
pub(crate) struct Kept {
    pub(crate) section: Arc<[u8]>,
    /// With the body, where somebody wanted it.
    pub(crate) whole: Option<Result<Received, Unkept>>,
    purpose: Purpose,
}

impl Kept {
    /// The message for whoever sends it on, if somebody does.
    pub(crate) fn sent_on(self) -> Option<Received> {
        self.whole.filter(|_| self.purpose == Purpose::SendingOn)?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(room: &BodyRoom, chunks: &[usize]) -> Kept {
        let mut keeper = Keeper::new(&Header::parse(b"A: b\r\n"));
        keeper.want_body(room);
        chunks.iter().for_each(|octets| keeper.feed(&vec![b'x'; *octets]));
        keeper.finish()
    }

    #[test]
    fn no_more_of_one_message_than_is_bounded() {
        let room = BodyRoom::of(usize::MAX);
        let whole = kept(&room, &[limits::KEPT_BODY - 1, 1]).whole.unwrap().unwrap();
        assert_eq!((whole.section(), whole.body().len()), (&b"A: b\r\n"[..], limits::KEPT_BODY));
        assert_eq!(kept(&room, &[limits::KEPT_BODY, 1, 5]).whole.unwrap().err(), Some(Unkept::TooLarge));
    }

    #[test]
    fn no_more_of_all_and_what_is_gone_makes_room() {
        let room = BodyRoom::of(100);
        let first = kept(&room, &[60]);
        assert_eq!(kept(&room, &[30, 11]).whole.unwrap().err(), Some(Unkept::NoRoom));
        let second = kept(&room, &[40]).whole.unwrap();
        assert!(second.is_ok(), "what the refused one had taken was given back");
        drop((first, second));
        assert!(kept(&room, &[100]).whole.unwrap().is_ok());
    }
}
