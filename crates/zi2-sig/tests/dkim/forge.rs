//! Signatures by hand: canonical forms taken step by step from the RFC, and another Ed25519 library than ours. It makes
//! what no signer of ours makes (`l=`, tags out of order, malformed ones), and is a second opinion on what ours makes.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer;

/// The record of the forger's key.
pub(crate) fn record() -> String {
    format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key().verifying_key().as_bytes()))
}

fn key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[9; 32])
}

/// A signature to be made. `tags` holds `{bh}` and `{b}` where their values go.
pub(crate) struct Forge<'a> {
    pub(crate) tags: &'a str,
    pub(crate) relaxed_header: bool,
    pub(crate) relaxed_body: bool,
    pub(crate) names: &'a [&'a str],
    pub(crate) length: Option<usize>,
}

pub(crate) const TAGS: &str =
    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=ed; h=from:to:subject; bh={bh}; b={b}";

impl Default for Forge<'_> {
    fn default() -> Self {
        Forge { tags: TAGS, relaxed_header: true, relaxed_body: true, names: &["from", "to", "subject"], length: None }
    }
}

impl Forge<'_> {
    /// The message with its signature on top. `fields` are whole fields without their CRLF.
    pub(crate) fn sign(&self, fields: &[&[u8]], body: &[u8]) -> Vec<u8> {
        let mut form = canonical_body(body, self.relaxed_body);
        form.truncate(self.length.unwrap_or(form.len()));
        let bh = STANDARD.encode(digest(&SHA256, &form));
        let unsigned = format!("DKIM-Signature: {}", self.tags.replace("{bh}", &bh));
        let mut input = Vec::new();
        for field in self.pick(fields) {
            input.extend(canonical_field(field, self.relaxed_header));
            input.extend(b"\r\n");
        }
        // § RFC 6376 §3.7: the value is deleted with the white space around it
        let (before, after) = unsigned.split_once("{b}").unwrap();
        let blanked = [before.trim_ascii_end(), after.trim_ascii_start()].concat();
        input.extend(canonical_field(blanked.as_bytes(), self.relaxed_header));
        let b = STANDARD.encode(key().sign(digest(&SHA256, &input).as_ref()).to_bytes());
        let signature = unsigned.replace("{b}", &b).into_bytes();
        let section: Vec<&[u8]> = std::iter::once(signature.as_slice()).chain(fields.iter().copied()).collect();
        [section.join(b"\r\n".as_slice()).as_slice(), b"\r\n\r\n", body].concat()
    }

    fn pick<'f>(&self, fields: &[&'f [u8]]) -> Vec<&'f [u8]> {
        let mut left: Vec<&[u8]> = fields.to_vec();
        let mut picked = Vec::new();
        for name in self.names {
            let is_named = |field: &&[u8]| name_of(field).eq_ignore_ascii_case(name.as_bytes());
            if let Some(place) = left.iter().rposition(is_named) {
                picked.push(left.remove(place));
            }
        }
        picked
    }
}

fn name_of(field: &[u8]) -> &[u8] {
    field.split(|octet| *octet == b':').next().unwrap().trim_ascii_end()
}

/// § RFC 6376 §3.4.1 and §3.4.2, step by step.
pub(crate) fn canonical_field(field: &[u8], relaxed: bool) -> Vec<u8> {
    if !relaxed {
        return field.to_vec();
    }
    let colon = field.iter().position(|octet| *octet == b':').unwrap();
    let unfolded = replace(&replace(&field[colon + 1..], b"\r\n ", b" "), b"\r\n\t", b" ");
    let value = reduce(&unfolded);
    [&name_of(field).to_ascii_lowercase(), b":".as_slice(), trim(&value)].concat()
}

/// § RFC 6376 §3.4.3 and §3.4.4, line by line.
pub(crate) fn canonical_body(body: &[u8], relaxed: bool) -> Vec<u8> {
    let mut lines = split_lines(body);
    if relaxed {
        lines = lines.iter().map(|line| reduce(line)).collect();
        for line in &mut lines {
            line.truncate(line.len() - usize::from(line.ends_with(b" ")));
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    match (lines.is_empty(), relaxed) {
        (true, true) => Vec::new(),
        (true, false) => b"\r\n".to_vec(),
        _ => lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect(),
    }
}

fn split_lines(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    for octet in body {
        line.push(*octet);
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines
}

fn reduce(text: &[u8]) -> Vec<u8> {
    let mut reduced: Vec<u8> = Vec::new();
    for octet in text {
        match octet {
            b' ' | b'\t' if reduced.last() == Some(&b' ') => {}
            b' ' | b'\t' => reduced.push(b' '),
            _ => reduced.push(*octet),
        }
    }
    reduced
}

fn trim(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    text.strip_suffix(b" ").unwrap_or(text)
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at..].starts_with(from) {
            true => out.extend(to),
            false => out.push(text[at]),
        }
        at += if text[at..].starts_with(from) { from.len() } else { 1 };
    }
    out
}
