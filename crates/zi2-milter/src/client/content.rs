//! Messages and what a filter does to them, with the index rules of Postfix. It reads no header beyond its colon.

use std::io;

use crate::codec::cut;
use crate::negotiation::LeadingSpace;

/// The fields (value as after the colon, folds with CRLF) and the body of a message.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Between header and body: the empty line, or nothing.
    separator: &'a [u8],
    pub(super) body: &'a [u8],
}

impl<'a> Content<'a> {
    /// Splits a message as Postfix does: a line without a colon ends the header.
    pub(super) fn split(octets: &'a [u8]) -> Content<'a> {
        let (mut fields, mut rest): (Vec<(Vec<u8>, Vec<u8>)>, _) = (Vec::new(), octets);
        while let Some((line, after)) = line(rest) {
            let colon = line.iter().position(|octet| *octet == b':');
            match (line.first(), fields.last_mut(), colon) {
                (None, _, _) => return Content { fields, separator: b"\r\n", body: after },
                (Some(b' ' | b'\t'), Some((_, value)), _) => {
                    value.extend_from_slice(b"\r\n");
                    value.extend_from_slice(line);
                }
                (Some(_), _, Some(colon)) if colon > 0 => {
                    let (name, value) = line.split_at(colon);
                    fields.push((name.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
                }
                _ => break,
            }
            rest = after;
        }
        Content { fields, separator: b"", body: rest }
    }
}

/// The final answer of a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answered {
    /// Go on; at the end of a message: accepted.
    Continue,
    /// Accepted.
    Accept,
    /// Refused for good.
    Reject,
    /// Refused for now.
    TempFail,
    /// Thrown away.
    Discard,
    /// No more body wanted.
    Skip,
    /// Refused with this line, percent signs as the client would see them.
    Reply(String),
}

impl Answered {
    pub(super) fn of(octet: u8, payload: &[u8]) -> Option<Answered> {
        Some(match octet {
            b'c' => Answered::Continue,
            b'a' => Answered::Accept,
            b'r' => Answered::Reject,
            b't' => Answered::TempFail,
            b'd' => Answered::Discard,
            b's' => Answered::Skip,
            b'y' => Answered::Reply(text(cut(payload)?.0).replace("%%", "%")),
            _ => return None,
        })
    }

    /// Whether it ends the message where it is given.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Answered::Continue | Answered::Skip)
    }

    pub(super) fn require_continue(self) -> io::Result<()> {
        match self {
            Answered::Continue => Ok(()),
            other => Err(io::Error::new(io::ErrorKind::InvalidData, format!("the filter answered {other:?} here"))),
        }
    }
}

/// One change a filter asked for, values as on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A field at the end of the header.
    Add {
        /// Its name.
        name: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// A field at a place from the top.
    Insert {
        /// The place.
        index: u32,
        /// Its name.
        name: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Another value for a field; an empty one deletes it.
    Change {
        /// Which one of that name, from 1.
        occurrence: u32,
        /// Its name.
        name: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Hold the message.
    Quarantine(String),
}

impl Edit {
    pub(super) fn parse(octet: u8, payload: &[u8]) -> Option<Edit> {
        let field = |octets: &[u8]| {
            let (name, rest) = cut(octets)?;
            Some((name.to_vec(), cut(rest)?.0.to_vec()))
        };
        let indexed = |octets: &[u8]| {
            let (index, rest) = octets.split_first_chunk::<4>()?;
            let (name, value) = field(rest)?;
            Some((u32::from_be_bytes(*index), name, value))
        };
        match octet {
            b'h' => field(payload).map(|(name, value)| Edit::Add { name, value }),
            b'i' => indexed(payload).map(|(index, name, value)| Edit::Insert { index, name, value }),
            b'm' => indexed(payload).map(|(occurrence, name, value)| Edit::Change { occurrence, name, value }),
            b'q' => Some(Edit::Quarantine(text(cut(payload)?.0))),
            _ => None,
        }
    }
}

/// What a filter said about a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The final reply.
    pub answered: Answered,
    /// The edits in the order they came.
    pub edits: Vec<Edit>,
    pub(super) space: LeadingSpace,
}

impl Answer {
    /// The message as the MTA delivers it, without the MTA's own Received field.
    pub fn apply(&self, message: &[u8]) -> Vec<u8> {
        let content = Content::split(message);
        // The MTA's own Received field: an index counts it, a name does not find it.
        let mut fields: Vec<Option<(Vec<u8>, Vec<u8>)>> =
            [None].into_iter().chain(content.fields.into_iter().map(Some)).collect();
        self.edits.iter().for_each(|edit| self.edit(&mut fields, edit));
        let mut out = Vec::with_capacity(message.len() + 1024);
        for (name, value) in fields.iter().flatten() {
            out.extend_from_slice(name);
            out.push(b':');
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(content.separator);
        out.extend_from_slice(content.body);
        out
    }

    fn edit(&self, fields: &mut Vec<Option<(Vec<u8>, Vec<u8>)>>, edit: &Edit) {
        match edit {
            Edit::Add { name, value } => fields.push(Some((name.clone(), self.stored(value)))),
            Edit::Insert { index, name, value } => {
                let place = usize::try_from(*index).unwrap_or(usize::MAX).min(fields.len());
                fields.insert(place, Some((name.clone(), self.stored(value))));
            }
            Edit::Change { occurrence, name, value } => {
                let which = usize::try_from(occurrence.saturating_sub(1)).unwrap_or(usize::MAX);
                let is_same = |field: &Option<(Vec<u8>, _)>| {
                    field.as_ref().is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
                };
                let found = fields.iter().enumerate().filter(|(_, field)| is_same(field)).nth(which);
                match (found.map(|(place, _)| place), value.is_empty()) {
                    (Some(place), true) => drop(fields.remove(place)),
                    (Some(place), false) => {
                        if let Some(field) = fields.get_mut(place) {
                            *field = Some((name.clone(), self.stored(value)));
                        }
                    }
                    (None, true) => {}
                    (None, false) => fields.push(Some((name.clone(), self.stored(value)))),
                }
            }
            Edit::Quarantine(_) => {}
        }
    }

    /// A value as it stands in the message: the MTA's own space where it puts one, folds with CRLF.
    fn stored(&self, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(value.len() + 8);
        if self.space == LeadingSpace::Lost {
            out.push(b' ');
        }
        for octet in value {
            if *octet == b'\n' {
                out.push(b'\r');
            }
            out.push(*octet);
        }
        out
    }
}

/// The macro requests of a negotiation answer.
pub(super) fn requests(octets: &[u8]) -> Vec<(u32, String)> {
    let mut rest = octets;
    std::iter::from_fn(|| {
        let (stage, after) = rest.split_first_chunk::<4>()?;
        let (names, after) = cut(after)?;
        rest = after;
        Some((u32::from_be_bytes(*stage), text(names)))
    })
    .collect()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn line(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    if octets.is_empty() {
        return None;
    }
    match memchr::memmem::find(octets, b"\r\n") {
        Some(end) => Some((octets.get(..end)?, octets.get(end + 2..)?)),
        None => Some((octets, b"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_follow_the_indices_of_postfix() {
        let message = b"A: 1\r\nB: 2\r\n 2\r\nA: 3\r\n\r\nbody";
        let insert = |index| Edit::Insert { index, name: b"N".to_vec(), value: b" n\n\tm".to_vec() };
        let change = |occurrence, name: &[u8], value: &[u8]| Edit::Change {
            occurrence,
            name: name.to_vec(),
            value: value.to_vec(),
        };
        let table: &[(&[Edit], &str)] = &[
            (&[], "A: 1|B: 2| 2|A: 3||body"),
            (&[insert(0)], "N: n|\tm|A: 1|B: 2| 2|A: 3||body"),
            (&[insert(1)], "N: n|\tm|A: 1|B: 2| 2|A: 3||body"),
            (&[insert(2)], "A: 1|N: n|\tm|B: 2| 2|A: 3||body"),
            (&[insert(99)], "A: 1|B: 2| 2|A: 3|N: n|\tm||body"),
            (&[Edit::Add { name: b"Z".to_vec(), value: b" z".to_vec() }], "A: 1|B: 2| 2|A: 3|Z: z||body"),
            (&[change(2, b"a", b"")], "A: 1|B: 2| 2||body"),
            (&[change(2, b"A", b""), change(1, b"A", b"")], "B: 2| 2||body"),
            (&[change(1, b"A", b""), change(1, b"A", b"")], "B: 2| 2||body"),
            (&[change(3, b"A", b"")], "A: 1|B: 2| 2|A: 3||body"),
            (&[change(1, b"B", b" x")], "A: 1|B: x|A: 3||body"),
            (&[change(9, b"B", b" x")], "A: 1|B: 2| 2|A: 3|B: x||body"),
        ];
        for (edits, expected) in table {
            let answer = Answer { answered: Answered::Continue, edits: edits.to_vec(), space: LeadingSpace::Kept };
            let got = String::from_utf8(answer.apply(message)).unwrap().replace("\r\n", "|");
            assert_eq!(got, *expected, "{edits:?}");
        }
    }

    #[test]
    fn messages_split_as_postfix_splits_them() {
        let table: &[(&str, usize, &str)] = &[
            ("A: 1\r\n\r\nb", 1, "b"),
            ("A: 1\r\n", 1, ""),
            ("A: 1", 1, ""),
            ("\r\nb", 0, "b"),
            ("A: 1\r\nno colon\r\nB: 2\r\n", 1, "no colon\r\nB: 2\r\n"),
            (" x\r\nA: 1\r\n", 0, " x\r\nA: 1\r\n"),
            ("", 0, ""),
        ];
        for (message, fields, body) in table {
            let content = Content::split(message.as_bytes());
            assert_eq!((content.fields.len(), content.body), (*fields, body.as_bytes()), "{message:?}");
            let answer = Answer { answered: Answered::Continue, edits: vec![], space: LeadingSpace::Lost };
            let whole = if *message == "A: 1" { "A: 1\r\n" } else { message };
            assert_eq!(answer.apply(message.as_bytes()), whole.as_bytes(), "nothing changes without edits");
        }
    }
}
