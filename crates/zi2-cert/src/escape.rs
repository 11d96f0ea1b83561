//! Untrusted text for a terminal: nothing that moves the cursor, turns a line around or hides.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::limits::SHOWN_CHARS;

/// The text on one line, with everything that is not plainly visible written as an escape.
pub(crate) fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// The value of a header field: unfolded, octets that are no UTF-8 as `\xNN`, cut.
pub(crate) fn field_value(value: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in value.utf8_chunks() {
        shown.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|octet| shown.push_str(&format!("\\x{octet:02x}")));
    }
    let unfolded = shown.replace("\r\n ", " ").replace("\r\n\t", " ");
    let cut: String = unfolded.trim().chars().take(SHOWN_CHARS).collect();
    let more = if unfolded.trim().chars().nth(SHOWN_CHARS).is_some() { "..." } else { "" };
    for_terminal(&cut) + more
}

/// JSON on one line, in ASCII: what a terminal would obey or hide stands there as `\u` and four digits, which every
/// reader takes back.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Ascii))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            match c {
                ' '..='~' => writer.write_all(&[u8::try_from(c).unwrap_or(b'?')])?,
                _ => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }
}

/// Controls, and the format characters (Unicode category Cf and the line separators) that change what is seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_ascii_and_reads_back() {
        let text = "a\"\\\u{1b}[2J\u{9b}31m\u{7f}\u{202e}J\u{fc}rgen\u{1f4e7}";
        let written = json(&serde_json::json!({"file": text})).unwrap();
        assert!(written.bytes().all(|octet| (0x20..0x7f).contains(&octet)), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap()["file"], text);
    }

    #[test]
    fn nothing_reaches_the_terminal_unescaped() {
        for (value, shown) in [
            (&b" Hello \r\n world"[..], "Hello  world"),
            (b"\x1b[2J\x1b]0;pwned\x07", "\\u{1b}[2J\\u{1b}]0;pwned\\u{7}"),
            ("user\u{202e}gpj.exe \u{9b}31m\u{200b}".as_bytes(), "user\\u{202e}gpj.exe \\u{9b}31m\\u{200b}"),
            (b"a\rb\nc\0\xff\xfe", "a\\u{d}b\\u{a}c\\u{0}\\xff\\xfe"),
            ("J\u{fc}rgen \u{1f4e7}".as_bytes(), "J\u{fc}rgen \u{1f4e7}"),
        ] {
            assert_eq!(field_value(value), shown);
        }
        let full = "\u{fc}".repeat(SHOWN_CHARS);
        assert_eq!(field_value(full.as_bytes()), full);
        assert_eq!(field_value(format!("{full}x").as_bytes()), format!("{full}..."));
    }
}
