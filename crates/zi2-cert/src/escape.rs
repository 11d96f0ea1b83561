//! Untrusted text for a terminal: nothing that moves the cursor, turns a line around or hides.

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
        let long = "x".repeat(10_000);
        assert_eq!(field_value(long.as_bytes()).len(), SHOWN_CHARS + 3);
    }
}
