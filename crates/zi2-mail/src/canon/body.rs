//! Body canonicalization (RFC 6376 §3.4.3 and §3.4.4) as a stream.
//!
//! The algorithms end in a rule about the end of the body, so nothing is written until it is known to matter: line ends
//! wait as a count, white space as one of two words. Memory is constant and no outcome depends on how the body was cut.

/// A body canonicalization algorithm. Not a [`HeaderCanon`](super::HeaderCanon), although both have a *simple*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyCanon {
    /// None: every octet as received (zi2.md §3).
    Raw,
    /// RFC 6376 §3.4.3: empty lines at the end removed, then one CRLF; an empty body becomes a CRLF.
    Simple,
    /// RFC 6376 §3.4.4: white space reduced too; an empty body stays empty.
    Relaxed,
}

#[cfg(test)]
mod tests {
    use super::BodyCanon;
    use crate::canon::{HeldLines, Squeezer};

    fn canonical(canon: BodyCanon, chunks: &[&[u8]]) -> String {
        let (mut lines, mut squeezer, mut out) = (HeldLines::default(), Squeezer::default(), Vec::new());
        let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
        for chunk in chunks {
            match canon {
                BodyCanon::Relaxed => squeezer.feed(chunk, &mut |octets| lines.feed(octets, &mut sink)),
                BodyCanon::Raw | BodyCanon::Simple => lines.feed(chunk, &mut sink),
            }
        }
        squeezer.finish(&mut |octets| lines.feed(octets, &mut sink));
        lines.ending(canon).write(&mut sink);
        String::from_utf8(out).unwrap()
    }

    /// Body, simple, relaxed. The first eight are those on which five programs disagree.
    const ROWS: &[(&str, &str, &str)] = &[
        ("a\r\n \r\n", "a\r\n \r\n", "a\r\n"),
        (" \r\n", " \r\n", ""),
        ("\r\n", "\r\n", ""),
        ("a", "a\r\n", "a\r\n"),
        ("a\nb\r\n", "a\nb\r\n", "a\nb\r\n"),
        ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
        ("a\r\r\n", "a\r\r\n", "a\r\r\n"),
        ("a \t", "a \t\r\n", "a\r\n"),
        ("", "\r\n", ""),
        (" ", " \r\n", ""),
        (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"), // RFC 6376 §3.4.5
        ("\r\n\r\n\r\n", "\r\n", ""),
        ("\r\n\r\na\r\n\r\nb\r\n\r\n", "\r\n\r\na\r\n\r\nb\r\n", "\r\n\r\na\r\n\r\nb\r\n"),
        ("a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n"),
        ("\r", "\r\r\n", "\r\r\n"),
        ("\n", "\n\r\n", "\n\r\n"),
        ("a\n", "a\n\r\n", "a\n\r\n"),
        ("a \n", "a \n\r\n", "a \n\r\n"),
        ("a \rb", "a \rb\r\n", "a \rb\r\n"),
        ("a \r", "a \r\r\n", "a \r\r\n"),
        ("a \r\r\n", "a \r\r\n", "a \r\r\n"),
        ("a \r \r\n", "a \r \r\n", "a \r\r\n"),
        ("a\r\n\t \r\n\r\n ", "a\r\n\t \r\n\r\n \r\n", "a\r\n"),
        ("\t\ta\tb\t \r\n", "\t\ta\tb\t \r\n", " a b\r\n"),
        ("\r\n\n", "\r\n\n\r\n", "\r\n\n\r\n"),
        ("\r\n \n", "\r\n \n\r\n", "\r\n \n\r\n"),
    ];

    #[test]
    fn rows_at_every_cut_and_in_front_of_every_block_border() {
        for &(body, simple, relaxed) in ROWS {
            for canon in [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed] {
                let expected = [body, simple, relaxed][canon as usize];
                for cut in 0..=body.len() {
                    let (one, two) = body.as_bytes().split_at(cut);
                    assert_eq!(canonical(canon, &[one, b"", two]), expected, "{canon:?} {body:?} cut at {cut}");
                }
                let octets: Vec<_> = body.as_bytes().chunks(1).collect();
                assert_eq!(canonical(canon, &octets), expected, "{canon:?} {body:?} octet by octet");
                for before in [40, 50, 60, 120].into_iter().flat_map(|start| start..start + 10) {
                    let before = "x".repeat(before);
                    // With text before it, a body is never empty.
                    let expected = if expected.is_empty() { "\r\n" } else { expected };
                    let lines = canonical(canon, &[before.as_bytes(), b"\r\n", body.as_bytes()]);
                    if !matches!(body, "" | "\r\n" | "\r\n\r\n\r\n" | " \r\n" | " ") {
                        assert_eq!(lines, [&before, "\r\n", expected].concat(), "{canon:?} {body:?}");
                    }
                    let whole = canonical(canon, &[[&before, "\r\n", body].concat().as_bytes()]);
                    assert_eq!(lines, whole, "{canon:?} {body:?}");
                }
            }
        }
    }

    #[test]
    fn floods_are_counted() {
        for flood in ["\r\n", " \r\n", "\r", " ", "\t", " \r", "\n"] {
            let flood = flood.repeat(10_000);
            for body in [flood.clone(), flood.clone() + "a", flood.clone() + "a" + &flood] {
                for canon in [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed] {
                    let pieces: Vec<_> = body.as_bytes().chunks(7).collect();
                    assert_eq!(canonical(canon, &[body.as_bytes()]), canonical(canon, &pieces));
                }
            }
        }
    }
}
