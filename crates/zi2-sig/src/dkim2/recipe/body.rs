//! A version of the body: runs of lines of the received body, and literals. It is written into a hash, and kept nowhere.

use memchr::memchr_iter;

use super::Step;

/// A body as received, with places in it by line.
#[derive(Clone, Debug)]
struct Base<'a> {
    octets: &'a [u8],
    lines: u64,
    /// Where each line begins whose number from 0 is a multiple of [`STRIDE`].
    marks: Vec<usize>,
}

/// A line by its number from 0, and the octet at which it begins.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    octet: usize,
}

/// Lines between two marks: few to walk over, and a mark for each costs little.
const STRIDE: u64 = 256;

/// One version of a body (§ -08 5). A line ends with CRLF; what follows the last one is a line if it is not empty.
#[derive(Clone, Debug)]
pub struct BodyVersion<'a> {
    base: Base<'a>,
    pieces: Vec<Piece<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Piece<'a> {
    /// Lines of the base, the second one not included, counted from 0.
    Lines(u64, u64),
    /// Lines of a recipe.
    Literal(&'a [Box<[u8]>]),
}

impl<'a> BodyVersion<'a> {
    /// The body as received.
    pub fn of(octets: &'a [u8]) -> BodyVersion<'a> {
        let base = Base::of(octets);
        let pieces = if base.lines > 0 { vec![Piece::Lines(0, base.lines)] } else { Vec::new() };
        BodyVersion { base, pieces }
    }

    /// Makes the version before. A copy beyond the end copies what there is: the hash decides.
    pub fn undo(&mut self, steps: &'a [Step]) {
        let mut made = Vec::with_capacity(steps.len());
        // Copies ascend, so one walk over the pieces serves them all.
        let (mut pieces, mut before) = (self.pieces.iter().peekable(), 0_u64);
        for step in steps {
            match *step {
                Step::Literal(ref lines) => made.push(Piece::Literal(lines)),
                Step::Copy(first, last) => {
                    let first = first.saturating_sub(1);
                    while let Some(piece) = pieces.peek() {
                        let end = before.saturating_add(piece.lines());
                        let part = piece.part(first.saturating_sub(before), last.min(end).saturating_sub(before));
                        part.into_iter().for_each(|part| append(&mut made, part));
                        if last < end {
                            break;
                        }
                        before = end;
                        pieces.next();
                    }
                }
            }
        }
        self.pieces = made;
    }

    /// The octets, each line with CRLF. The body as received may lack the last one.
    pub fn write(&self, sink: &mut (impl FnMut(&[u8]) + ?Sized)) {
        let mut place = Place { line: 0, octet: 0 };
        for piece in &self.pieces {
            match *piece {
                Piece::Lines(first, end) => {
                    let start = self.base.place(first, place);
                    place = self.base.place(end, start);
                    let octets = self.base.octets.get(start.octet..place.octet).unwrap_or_default();
                    sink(octets);
                    if !octets.ends_with(b"\r\n") {
                        sink(b"\r\n");
                    }
                }
                Piece::Literal(lines) => lines.iter().for_each(|line| {
                    sink(line);
                    sink(b"\r\n");
                }),
            }
        }
    }

    /// The octets in one piece.
    #[cfg(test)]
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.write(&mut |piece| octets.extend_from_slice(piece));
        octets
    }
}

/// Appends a piece; lines that go on where the last piece ends make one piece with it.
fn append<'a>(pieces: &mut Vec<Piece<'a>>, piece: Piece<'a>) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Lines(_, end)), Piece::Lines(first, last)) if *end == first => *end = last,
        (_, piece) => pieces.push(piece),
    }
}

impl<'a> Piece<'a> {
    fn lines(self) -> u64 {
        match self {
            Piece::Lines(first, end) => end - first,
            Piece::Literal(lines) => u64::try_from(lines.len()).unwrap_or(u64::MAX),
        }
    }

    /// Lines `first` to `end` of this piece, as far as there are any.
    fn part(self, first: u64, end: u64) -> Option<Piece<'a>> {
        let end = end.min(self.lines());
        let part = (first < end).then_some(match self {
            Piece::Lines(start, _) => Piece::Lines(start + first, start + end),
            Piece::Literal(lines) => {
                let place = |line: u64| usize::try_from(line).unwrap_or(usize::MAX);
                Piece::Literal(lines.get(place(first)..place(end)).unwrap_or_default())
            }
        });
        part.filter(|part| part.lines() > 0)
    }
}

impl<'a> Base<'a> {
    fn of(octets: &'a [u8]) -> Base<'a> {
        let (mut lines, mut marks, mut last) = (0_u64, vec![0], 0);
        for end in line_ends(octets) {
            (lines, last) = (lines + 1, end);
            if lines.is_multiple_of(STRIDE) {
                marks.push(end);
            }
        }
        // § -08 5: a last line without CRLF is a line
        Base { octets, lines: lines + u64::from(last < octets.len()), marks }
    }

    /// Where a line begins; for the one after the last, where the body ends. From the mark before it or, if that is nearer,
    /// from a place that is known: who asks in ascending order looks at each octet once, however long the lines are.
    fn place(&self, line: u64, known: Place) -> Place {
        let mark = line / STRIDE;
        let marked = usize::try_from(mark).ok().and_then(|mark| self.marks.get(mark));
        let Some(mark) = marked.map(|octet| Place { line: mark * STRIDE, octet: *octet }) else {
            return Place { line, octet: self.octets.len() };
        };
        let near = if known.line > mark.line && known.line <= line { known } else { mark };
        let Some(steps) = usize::try_from(line - near.line).ok().and_then(|steps| steps.checked_sub(1)) else {
            return near;
        };
        let rest = self.octets.get(near.octet..).unwrap_or_default();
        let octet = line_ends(rest).nth(steps).map_or(self.octets.len(), |end| near.octet + end);
        Place { line, octet }
    }
}

/// Where each line ends, its CRLF included.
pub(super) fn line_ends(octets: &[u8]) -> impl Iterator<Item = usize> {
    let ends_line = |lf: &usize| lf.checked_sub(1).is_some_and(|cr| octets.get(cr) == Some(&b'\r'));
    memchr_iter(b'\n', octets).filter(ends_line).map(|lf| lf + 1)
}

/// The lines of a body as recipes count them, without their ends.
pub fn body_lines(octets: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for end in line_ends(octets) {
        lines.push(octets.get(start..end - b"\r\n".len()).unwrap_or_default());
        start = end;
    }
    lines.extend(octets.get(start..).filter(|rest| !rest.is_empty()));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::BodyRecipe;
    use super::super::Recipe;
    use super::*;

    fn undone(body: &str, recipes: &[&str]) -> String {
        let recipes: Vec<Recipe> = recipes.iter().map(|json| Recipe::parse(json.as_bytes()).unwrap()).collect();
        let mut version = BodyVersion::of(body.as_bytes());
        for recipe in &recipes {
            let BodyRecipe::Steps(steps) = recipe.body() else { panic!("a body recipe") };
            version.undo(steps);
        }
        String::from_utf8(version.to_vec()).unwrap()
    }

    #[test]
    fn versions() {
        for (body, recipes, expected) in [
            ("a\r\nb\r\nc\r\n", vec![r#"{"b":[{"c":[1,1]}]}"#], "a\r\n"),
            ("a\r\nb\r\nc\r\n", vec![r#"{"b":[]}"#], ""),
            ("a\r\nb\r\nc", vec![r#"{"b":[{"c":[2,3]},{"d":["x","y"]}]}"#], "b\r\nc\r\nx\r\ny\r\n"),
            ("a\r\n\r\n\r\n", vec![r#"{"b":[{"c":[2,3]}]}"#], "\r\n\r\n"),
            ("a\r\nb\r\n", vec![r#"{"b":[{"c":[1,9]}]}"#], "a\r\nb\r\n"),
            ("a\r\nb\r\n", vec![r#"{"b":[{"c":[7,9]},{"d":["z"]}]}"#], "z\r\n"),
            ("", vec![r#"{"b":[{"c":[1,1]},{"d":["z"]}]}"#], "z\r\n"),
            ("a\nb\rc\r\n", vec![r#"{"b":[{"c":[1,1]}]}"#], "a\nb\rc\r\n"),
            (
                "1\r\n2\r\n3\r\n4\r\n5\r\n",
                vec![
                    r#"{"b":[{"c":[1,2]},{"d":["x","y","z"]},{"c":[4,5]}]}"#,
                    r#"{"b":[{"c":[2,4]},{"d":["w"]},{"c":[5,6]}]}"#,
                    r#"{"b":[{"c":[1,1]},{"c":[3,3]},{"c":[5,9]}]}"#,
                ],
                "2\r\ny\r\nz\r\n4\r\n",
            ),
        ] {
            assert_eq!(undone(body, &recipes), expected, "{body:?} {recipes:?}");
        }
    }

    #[test]
    fn places_of_lines() {
        for (count, last) in [(0, ""), (1, ""), (255, "x"), (256, ""), (257, ""), (1000, "end")] {
            let body = "\r\n".repeat(count) + last;
            let base = Base::of(body.as_bytes());
            assert_eq!(base.lines, (count + usize::from(!last.is_empty())) as u64);
            let mut known = Place { line: 0, octet: 0 };
            for line in 0..=count {
                let place = |known| base.place(line as u64, known).octet;
                assert_eq!((place(Place { line: 0, octet: 0 }), place(known)), (2 * line, 2 * line), "{count}");
                known = base.place(line as u64, known);
            }
            assert_eq!(base.place(base.lines, known).octet, body.len());
            // A place after the line is of no use.
            assert_eq!(base.place(0, known).octet, 0);
        }
    }
}
