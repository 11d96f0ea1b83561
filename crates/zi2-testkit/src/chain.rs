//! Signatures of the existing chain, DKIM and ARC, with tags that no signer of ours would write. Always Ed25519, relaxed, and
//! correct: nothing but the one rule that a case is about stands in a signature's way.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Header, HeaderCanon, relaxed_value};

use crate::{Mail, TIME, key};

/// A DKIM signature in the making.
#[derive(Clone, Debug)]
pub struct Dkim<'a> {
    key: &'a str,
    tags: Vec<(&'a str, String)>,
    length: Option<u64>,
}

/// A handler that seals what it passes on (RFC 8617 §5.1).
#[derive(Clone, Debug)]
pub struct Sealer<'a> {
    key: &'a str,
    domain: &'a str,
    results: &'a str,
    covers: &'a str,
    seal: Vec<(&'a str, String)>,
}

const COVERED: &str = "from:to:subject:date:message-id";

impl<'a> Dkim<'a> {
    /// By the key `<owner> dkim`, which `zone.json` publishes for selector s1 of this domain.
    pub fn of(key: &'a str, domain: &str) -> Dkim<'a> {
        let tags = [("v", "1"), ("a", "ed25519-sha256"), ("c", "relaxed/relaxed"), ("d", domain), ("s", "s1")];
        let tags = tags.map(|(name, value)| (name, value.to_owned())).into_iter().chain([("h", COVERED.to_owned())]);
        Dkim { key, tags: tags.collect(), length: None }
    }

    /// Replaces a tag, or adds one.
    #[must_use]
    pub fn tag(mut self, name: &'a str, value: impl Into<String>) -> Dkim<'a> {
        let value = value.into();
        match self.tags.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.tags.push((name, value)),
        }
        self
    }

    /// Signs so many octets of the body only, `l=`.
    #[must_use]
    pub fn length(self, octets: u64) -> Dkim<'a> {
        Dkim { length: Some(octets), ..self.tag("l", octets.to_string()) }
    }

    fn field(&self, name: &str, header: &[u8], body: &[u8]) -> String {
        let covered = self.tags.iter().find(|(tag, _)| *tag == "h").map_or("", |(_, names)| names);
        let tags: String = self.tags.iter().map(|(name, value)| format!(" {name}={value};")).collect();
        let unsigned = format!("{name}:{tags}\r\n bh={};\r\n b=", body_hash(body, self.length));
        let mut input = covered_fields(header, covered);
        own(&unsigned, &mut input);
        unsigned + &signature(self.key, &input)
    }
}

impl<'a> Sealer<'a> {
    /// Seals as this domain by the key `<owner> dkim`, and reports these results.
    pub fn of(key: &'a str, domain: &'a str, results: &'a str) -> Sealer<'a> {
        Sealer { key, domain, results, covers: COVERED, seal: Vec::new() }
    }

    /// Covers these fields instead of the usual ones.
    #[must_use]
    pub fn covering(self, names: &'a str) -> Sealer<'a> {
        Sealer { covers: names, ..self }
    }

    /// Writes this tag of the seal otherwise, or adds it.
    #[must_use]
    pub fn with_seal_tag(mut self, name: &'a str, value: &str) -> Sealer<'a> {
        self.seal.push((name, value.to_owned()));
        self
    }

    fn message(&self, instance: usize) -> Dkim<'a> {
        let mut message = Dkim::of(self.key, self.domain).tag("h", self.covers).tag("t", TIME.to_string());
        message.tags.retain(|(name, _)| *name != "v"); // § RFC 8617 §4.1.2
        message.tag("i", instance.to_string())
    }

    fn tags(&self, instance: usize) -> Vec<(&'a str, String)> {
        let claim = if instance == 1 { "none" } else { "pass" };
        let mut tags = vec![
            ("i", instance.to_string()),
            ("a", "ed25519-sha256".to_owned()),
            ("d", self.domain.to_owned()),
            ("s", "s1".to_owned()),
            ("cv", claim.to_owned()),
        ];
        for (name, value) in &self.seal {
            match tags.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => tags.push((name, value.clone())),
            }
        }
        tags
    }
}

impl Mail {
    /// Puts a DKIM signature on top.
    #[must_use]
    pub fn dkim(self, by: &Dkim<'_>) -> Mail {
        let field = by.field("DKIM-Signature", &self.header(), self.body_octets());
        self.above(field)
    }

    /// Puts a set of ARC on top, as the next handler.
    #[must_use]
    pub fn sealed(self, by: &Sealer<'_>) -> Mail {
        let sets = self.fields().iter().filter(|field| field.starts_with("ARC-Seal:")).count();
        let instance = sets + 1;
        let message = by.message(instance);
        let message = message.field("ARC-Message-Signature", &self.header(), self.body_octets());
        let sealed = self.above(format!("ARC-Authentication-Results: i={instance}; {}", by.results)).above(message);
        let tags: String = by.tags(instance).iter().map(|(name, value)| format!(" {name}={value};")).collect();
        let unsigned = format!("ARC-Seal:{tags}\r\n b=");
        let mut input = sets_so_far(&sealed.header());
        own(&unsigned, &mut input);
        let seal = signature(by.key, &input);
        sealed.above(unsigned + &seal)
    }
}

/// § RFC 8617 §5.1.1: all fields of all sets, from the oldest set to the newest; each new set stands on top of the others.
fn sets_so_far(header: &[u8]) -> Vec<u8> {
    let mut input = Vec::new();
    let header = Header::parse(header);
    for field in header.from_bottom().filter(|field| field.name().starts_with(b"ARC-")) {
        line(field, &mut input);
    }
    input
}

/// § RFC 6376 §5.4.2: each name takes the last field of that name that is not taken yet.
fn covered_fields(header: &[u8], names: &str) -> Vec<u8> {
    let (mut input, header) = (Vec::new(), Header::parse(header));
    let names: Vec<&str> = names.split(':').collect();
    for (at, name) in names.iter().enumerate() {
        let taken = names.iter().take(at).filter(|other| other.eq_ignore_ascii_case(name)).count();
        if let Some(field) = header.nth_from_bottom(name, taken) {
            line(field, &mut input);
        }
    }
    input
}

fn line(field: zi2_mail::Field<'_>, input: &mut Vec<u8>) {
    HeaderCanon::Relaxed.write(field, input);
    input.extend_from_slice(b"\r\n");
}

/// The field itself, which has an empty `b=` at its end.
fn own(unsigned: &str, input: &mut Vec<u8>) {
    let (name, value) = unsigned.split_once(':').expect("a field");
    input.extend_from_slice(name.to_ascii_lowercase().as_bytes());
    input.push(b':');
    relaxed_value(value.as_bytes(), input);
}

/// § RFC 8463 §3: the hash is what is signed.
pub(crate) fn signature(owner: &str, input: &[u8]) -> String {
    let hash = digest(BodyCanon::Raw, input, None);
    STANDARD.encode(key(&format!("{owner} dkim")).sign(&hash))
}

fn body_hash(body: &[u8], length: Option<u64>) -> String {
    STANDARD.encode(digest(BodyCanon::Relaxed, body, length))
}

pub(crate) fn digest(canon: BodyCanon, octets: &[u8], length: Option<u64>) -> Vec<u8> {
    let mut plan = DigestPlan::new();
    let lane = match length {
        Some(length) => plan.request_first(canon, HashAlg::Sha256, length),
        None => plan.request(canon, HashAlg::Sha256),
    };
    let mut digester = plan.start();
    digester.feed(octets);
    digester.finish().get(lane).to_vec()
}
