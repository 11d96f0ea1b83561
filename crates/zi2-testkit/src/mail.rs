//! Messages octet by octet: an honest one, anything made of it, and certifications by our signer or by a forger.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Header, HeaderCanon, HostName, Message, Timestamp, relaxed_value};
use zi2_sig::{FIELD_NAME, Form, Identity, Kid, Signer};

use crate::{KID, TIME, key, nonce};

/// A message under construction: lines of its header section without their CRLF, and a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    lines: Vec<Vec<u8>>,
    body: Vec<u8>,
}

/// Who certifies, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signing<'a> {
    /// The name of the key.
    pub key: &'a str,
    /// The identifier it is said to have.
    pub kid: &'a str,
    /// The server.
    pub sid: &'a str,
    /// The form.
    pub form: Form,
    /// The signing time.
    pub time: u64,
}

impl<'a> Signing<'a> {
    /// The combined form, made now with the current key of `mx.<name>.example`'s owner.
    pub const fn of(key: &'a str, sid: &'a str) -> Signing<'a> {
        Signing { key, kid: KID, sid, form: Form::Combined, time: TIME }
    }
}

impl Mail {
    /// An honest mail from this author to bob@recv.example: one text part, not certified.
    pub fn by(from: &str) -> Mail {
        let fields = [
            ("From", from),
            ("To", "bob@recv.example"),
            ("Subject", "Lunch"),
            ("Date", "Sun, 01 Nov 2026 12:00:00 +0000"),
            ("Message-ID", "<1@mail.example>"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
        ];
        let lines = fields.map(|(name, value)| format!("{name}: {value}").into_bytes()).to_vec();
        Mail { lines, body: b"Shall we meet at noon?\r\n\r\n-- \r\nAnn\r\n".to_vec() }
    }

    /// Replaces the first field of this name, or adds one at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Mail {
        let line = [name.as_bytes(), b": ", value.as_ref()].concat();
        match self.lines.iter_mut().find(|line| is_named(line, name)) {
            Some(old) => *old = line,
            None => self.lines.push(line),
        }
        self
    }

    /// Takes all fields of this name out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Mail {
        self.lines.retain(|line| !is_named(line, name));
        self
    }

    /// Puts these octets on top of the header section, as they are.
    #[must_use]
    pub fn above(mut self, line: impl AsRef<[u8]>) -> Mail {
        self.lines.insert(0, line.as_ref().to_vec());
        self
    }

    /// Puts these octets at the end of the header section, as they are.
    #[must_use]
    pub fn below(mut self, line: impl AsRef<[u8]>) -> Mail {
        self.lines.push(line.as_ref().to_vec());
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Mail {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Replaces octets of the body, wherever they stand.
    ///
    /// # Panics
    ///
    /// If they stand nowhere.
    #[must_use]
    pub fn in_body(mut self, old: &str, new: &str) -> Mail {
        let body = String::from_utf8(self.body).expect("a text");
        assert!(body.contains(old), "{old:?} is in the body");
        self.body = body.replace(old, new).into_bytes();
        self
    }

    /// Certifies it with our own signer, which refuses what is ambiguous.
    ///
    /// # Panics
    ///
    /// If the signer refuses.
    #[must_use]
    pub fn signed(self, by: Signing<'_>) -> Mail {
        let octets = self.octets();
        let message = Message::split(&octets);
        let identity = Identity {
            sid: HostName::parse(by.sid).expect("a host name"),
            kid: Kid::parse(by.kid).expect("a key identifier"),
        };
        let time = Timestamp::from_secs(by.time);
        let mut plan = DigestPlan::new();
        let signer = Signer::new(&message.header, &identity, by.form, time, nonce(by.key), &mut plan)
            .expect("an unambiguous message");
        let signed = signer.finish(&plan.digest(message.body), &key(by.key)).expect("fit for SMTP");
        self.above(signed.field.wire())
    }

    /// Certifies it, whatever it is, with the tags of a forger.
    #[must_use]
    pub fn forged(self, forgery: &Forgery<'_>) -> Mail {
        let field = forgery.field(&self.header(), &self.body);
        self.above(field)
    }

    /// Its fields as text, octets outside UTF-8 replaced.
    pub fn fields(&self) -> Vec<String> {
        self.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// The message.
    pub fn octets(&self) -> Vec<u8> {
        [&self.header()[..], b"\r\n", &self.body].concat()
    }

    /// The body.
    pub(crate) fn body_octets(&self) -> &[u8] {
        &self.body
    }

    /// The header section, without the empty line at its end.
    pub fn header(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect()
    }
}

fn is_named(line: &[u8], name: &str) -> bool {
    let (found, rest) = line.split_at_checked(name.len()).unwrap_or_default();
    found.eq_ignore_ascii_case(name.as_bytes()) && rest.first() == Some(&b':')
}

/// A certification whose tags are chosen freely and whose signature holds all the same: nothing but the one rule that a
/// case is about stands in its way.
#[derive(Clone, Debug)]
pub struct Forgery<'a> {
    key: &'a str,
    tags: Vec<(&'a str, String)>,
    payload: Option<[&'a str; 2]>,
    signature: Option<[u8; 64]>,
}

impl<'a> Forgery<'a> {
    /// In page form: the domain it claims, by this key and server.
    pub fn page(key: &'a str, domain: &str, server: &str) -> Forgery<'a> {
        let tags = vec![
            ("v", "1".to_owned()),
            ("d", domain.to_owned()),
            ("s", server.to_owned()),
            ("kid", KID.to_owned()),
            ("t", TIME.to_string()),
            ("h", "from:to:subject:date:message-id".to_owned()),
        ];
        Forgery { key, tags, payload: None, signature: None }
    }

    /// In draft form, over these two addresses.
    pub fn draft(key: &'a str, server: &str, from_and_to: [&'a str; 2]) -> Forgery<'a> {
        let tags = vec![
            ("v", "1".to_owned()),
            ("sid", server.to_owned()),
            ("kid", KID.to_owned()),
            ("t", TIME.to_string()),
            ("n", STANDARD.encode(nonce(key))),
        ];
        Forgery { key, tags, payload: Some(from_and_to), signature: None }
    }

    /// Replaces a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: impl Into<String>) -> Forgery<'a> {
        let value = value.into();
        self.tags.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, old)| old.clone_from(&value));
        self
    }

    /// Takes these octets for the signature.
    #[must_use]
    pub fn signature(self, octets: [u8; 64]) -> Forgery<'a> {
        Forgery { signature: Some(octets), ..self }
    }

    fn field(&self, header: &[u8], body: &[u8]) -> String {
        let hash = body_hash(body);
        let mut text: String = self.tags.iter().map(|(name, value)| format!(" {name}={value};")).collect();
        text.push_str(&format!("\r\n bh={hash};\r\n "));
        let (name, input) = match self.payload {
            Some(parties) => ("sig=", self.draft_input(header, parties, &hash)),
            None => ("b=", self.page_input(header, &format!("{text}b="))),
        };
        let signature = STANDARD.encode(self.signature.unwrap_or_else(|| key(self.key).sign(&input)));
        format!("{FIELD_NAME}:{text}{name}{signature}")
    }

    fn value(&self, name: &str) -> &str {
        self.tags.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    fn draft_input(&self, header: &[u8], [from, to]: [&str; 2], hash: &str) -> Vec<u8> {
        let header = Header::parse(header);
        let id = header.named("message-id").next().map_or(&b""[..], |field| field.value()).trim_ascii();
        let id = String::from_utf8_lossy(id);
        ["1", from, to, self.value("t"), &id, self.value("sid"), hash, self.value("n")].join("\n").into_bytes()
    }

    fn page_input(&self, header: &[u8], own: &str) -> Vec<u8> {
        let header = Header::parse(header);
        let mut input = Vec::new();
        for name in self.value("h").split(':') {
            if let Some(field) = header.named(name).next_back() {
                HeaderCanon::Relaxed.write(field, &mut input);
                input.extend_from_slice(b"\r\n");
            }
        }
        input.extend_from_slice(b"x-zi2-certified:");
        relaxed_value(own.as_bytes(), &mut input);
        input
    }
}

fn body_hash(body: &[u8]) -> String {
    let mut plan = DigestPlan::new();
    let lane = plan.request(BodyCanon::Raw, HashAlg::Sha256);
    let mut digester = plan.start();
    digester.feed(body);
    STANDARD.encode(digester.finish().get(lane))
}
