//! Cuts the stream of octets into frames. It knows lengths and command octets, never what a payload means.

use std::ops::Range;

use super::command::CommandKind;
use crate::limits;

/// Why the stream cannot be cut into frames; the connection is lost, since the next frame cannot be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// A length of zero has no room for the command.
    #[error("the MTA sent a frame of length zero")]
    Empty,
    /// Longer than this kind of frame may be.
    #[error("the MTA announced a frame of {claimed} octets; at most {limit} are taken")]
    TooLong {
        /// The announced length.
        claimed: usize,
        /// The bound that holds for it.
        limit: usize,
    },
    /// A command octet the protocol does not have.
    #[error("the MTA sent the unknown command {0:#04x}")]
    UnknownCommand(u8),
}

/// Collects octets and lends out whole frames without copying them. It never holds more than one frame of the
/// largest size beside what one read brought, and refuses a length before allocating for it.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// What is held and not yet consumed.
    held: Range<usize>,
    /// Frames consumed so far.
    taken: u64,
}

/// A whole frame at the front of the buffer, not yet consumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    pub(crate) kind: CommandKind,
    /// Octets of the payload, after length and command.
    payload: usize,
}

const LENGTH_OCTETS: usize = 4;
const HEAD_OCTETS: usize = LENGTH_OCTETS + 1;

impl FrameReader {
    /// A reader with nothing in it.
    pub fn new() -> FrameReader {
        FrameReader { buffer: vec![0; limits::BUFFER_FIRST], held: 0..0, taken: 0 }
    }

    /// Copies octets in. Readers of sockets use [`space`](Self::space) and spare the copy.
    pub fn push(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let space = self.space();
            let (now, later) = rest.split_at(space.len().min(rest.len()));
            if let Some(place) = space.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.filled(now.len());
            rest = later;
        }
    }

    /// Room for the next octets, never empty. Growth follows what has arrived, not what a length claims.
    pub fn space(&mut self) -> &mut [u8] {
        if self.held.is_empty() {
            self.held = 0..0;
            if self.buffer.len() > limits::BUFFER_KEPT {
                self.buffer = vec![0; limits::BUFFER_BUSY];
            }
        }
        if self.held.end == self.buffer.len() {
            self.make_room();
        }
        self.buffer.get_mut(self.held.end..).unwrap_or_default()
    }

    /// Says how many octets of [`space`](Self::space) are now filled; more than there were count as all.
    pub fn filled(&mut self, octets: usize) {
        self.held.end = self.held.end.saturating_add(octets).min(self.buffer.len());
        // A peer that fills the whole buffer at once has more to say: fewer, larger reads.
        if self.held == (0..self.buffer.len()) && self.buffer.len() < limits::BUFFER_BUSY {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    /// The next frame with its payload, consumed; `None` when more octets are needed.
    ///
    /// # Errors
    /// [`FrameError`] as soon as the octets that show the fault are here.
    pub fn next_frame(&mut self) -> Result<Option<(CommandKind, &[u8])>, FrameError> {
        let Some(front) = self.front()? else { return Ok(None) };
        Ok(Some((front.kind, self.take(front))))
    }

    /// Whether the beginning of a frame is held whose end is missing.
    pub fn is_partial(&self) -> bool {
        !self.held.is_empty() && matches!(self.front(), Ok(None))
    }

    /// How many frames were consumed; it tells a peer that gets ahead from one that does not.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Looks at the next frame and leaves it there.
    pub(crate) fn front(&self) -> Result<Option<Front>, FrameError> {
        let held = self.buffer.get(self.held.clone()).unwrap_or_default();
        let Some((length, rest)) = held.split_first_chunk::<LENGTH_OCTETS>() else { return Ok(None) };
        let claimed = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if claimed == 0 {
            return Err(FrameError::Empty);
        }
        if claimed > limits::FRAME {
            return Err(FrameError::TooLong { claimed, limit: limits::FRAME });
        }
        let Some(&octet) = rest.first() else { return Ok(None) };
        let kind = CommandKind::from_octet(octet).ok_or(FrameError::UnknownCommand(octet))?;
        if kind == CommandKind::Macros && claimed > limits::MACROS {
            return Err(FrameError::TooLong { claimed, limit: limits::MACROS });
        }
        Ok((rest.len() >= claimed).then_some(Front { kind, payload: claimed - 1 }))
    }

    /// The payload of the frame at the front.
    pub(crate) fn payload(&self, front: Front) -> &[u8] {
        let start = self.held.start + HEAD_OCTETS;
        self.buffer.get(start..start + front.payload).unwrap_or_default()
    }

    /// Consumes the frame at the front; its payload stays readable until the next octets are put in.
    pub(crate) fn take(&mut self, front: Front) -> &[u8] {
        let start = self.held.start + HEAD_OCTETS;
        let end = start + front.payload;
        self.held.start = end.min(self.held.end);
        self.taken = self.taken.wrapping_add(1);
        self.buffer.get(start..end).unwrap_or_default()
    }

    /// Moves what is held to the front, and doubles a buffer that is full with one frame.
    fn make_room(&mut self) {
        if self.held.start > 0 {
            self.buffer.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
        }
        let free = self.buffer.len() - self.held.end;
        // Less than a quarter free would mean many small reads and moves for one large frame.
        if free < self.buffer.len() / 4 {
            let most = limits::FRAME + LENGTH_OCTETS + limits::BUFFER_FIRST;
            let length = (self.buffer.len() * 2).min(most.max(self.held.end + limits::BUFFER_FIRST));
            self.buffer.resize(length, 0);
        }
    }
}

impl Default for FrameReader {
    fn default() -> FrameReader {
        FrameReader::new()
    }
}

/// Appends one frame made of `parts` to `out`.
pub(crate) fn write_frame(out: &mut Vec<u8>, octet: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    // Everything written is bounded far below 4 GiB by `limits`.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    out.push(octet);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(octet: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(&mut out, octet, &[payload]);
        out
    }

    #[test]
    fn faults_show_at_the_first_octet_that_tells_them() {
        let flood = u32::try_from(limits::MACROS + 1).unwrap().to_be_bytes();
        let over = u32::try_from(limits::FRAME + 1).unwrap().to_be_bytes();
        let table: &[(&[u8], FrameError)] = &[
            (&[0, 0, 0, 0], FrameError::Empty),
            (&[0x80, 0, 0, 0], FrameError::TooLong { claimed: 1 << 31, limit: limits::FRAME }),
            (&over, FrameError::TooLong { claimed: limits::FRAME + 1, limit: limits::FRAME }),
            (&[0, 0, 0, 9, b'z'], FrameError::UnknownCommand(b'z')),
            (&[&flood[..], b"D"].concat(), FrameError::TooLong { claimed: limits::MACROS + 1, limit: limits::MACROS }),
        ];
        for (octets, error) in table {
            let mut reader = FrameReader::new();
            let (last, before) = octets.split_last().unwrap();
            reader.push(before);
            assert!(matches!(reader.next_frame(), Ok(None)), "{octets:?}");
            reader.push(&[*last]);
            assert_eq!(reader.next_frame().unwrap_err(), *error);
            assert_eq!(reader.buffer.len(), limits::BUFFER_FIRST, "nothing was allocated for a claim");
        }
    }

    #[test]
    fn macros_up_to_their_limit() {
        let mut reader = FrameReader::new();
        reader.push(&frame(b'D', &vec![0; limits::MACROS - 1]));
        let (kind, payload) = reader.next_frame().unwrap().unwrap();
        assert_eq!((kind, payload.len()), (CommandKind::Macros, limits::MACROS - 1));
    }

    #[test]
    fn buffer_grows_with_what_arrives_and_shrinks_again() {
        let mut reader = FrameReader::new();
        let large = frame(b'B', &vec![7; limits::FRAME - 1]);
        reader.push(&large[..100]);
        assert_eq!(reader.buffer.len(), limits::BUFFER_FIRST);
        reader.push(&large[100..]);
        assert!(reader.buffer.len() <= 2 * limits::FRAME);
        assert_eq!(reader.next_frame().unwrap().unwrap().1.len(), limits::FRAME - 1);
        reader.space();
        assert_eq!(reader.buffer.len(), limits::BUFFER_BUSY);
        for _ in 0..1000 {
            reader.push(&frame(b'B', &[7; 65_535]));
            assert!(reader.next_frame().unwrap().is_some());
        }
        assert!(reader.buffer.len() <= limits::BUFFER_BUSY);
    }

    #[test]
    fn frames_come_out_whole_for_any_cut() {
        let stream = [frame(b'B', b"one"), frame(b'N', b""), frame(b'B', &[1; 9000]), frame(b'Q', b"")].concat();
        for step in [1, 2, 3, 5, 4096, stream.len()] {
            let (mut reader, mut seen) = (FrameReader::new(), Vec::new());
            for piece in stream.chunks(step) {
                reader.push(piece);
                while let Some((kind, payload)) = reader.next_frame().unwrap() {
                    seen.push((kind, payload.len()));
                }
            }
            assert!(!reader.is_partial());
            use CommandKind::{Body, EndOfHeaders, Quit};
            assert_eq!(seen, [(Body, 3), (EndOfHeaders, 0), (Body, 9000), (Quit, 0)]);
        }
    }
}
