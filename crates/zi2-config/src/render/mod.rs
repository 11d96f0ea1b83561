//! The configuration in words: what is in force, the sample file, the man page. All from the one table.

mod dump;
mod man;
mod sample;

pub use dump::{dump_json, dump_table};
pub use man::man_keys;
pub use sample::sample;

/// Breaks a text into lines of at most so many characters, between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
