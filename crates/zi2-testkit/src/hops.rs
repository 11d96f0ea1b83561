//! DKIM2 as handlers write it, honest or not: nothing is asked of a recipe, and whoever has a key signs whatever stands there.
//! Always Ed25519 and SHA-256.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{BodyCanon, Header, Message};
use zi2_sig::dkim2::{DKIM2_SIGNATURE, Draft, MESSAGE_INSTANCE, hashed_header, recipe_for};

use crate::chain::{digest, signature};
use crate::{Mail, TIME};

/// A handler that passes a message on.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    key: &'a str,
    domain: &'a str,
    sender: &'a str,
    recipients: &'a [&'a str],
}

impl<'a> Hop<'a> {
    /// Signs as this domain by the key `<owner> dkim`, for this envelope; addresses without brackets.
    pub fn of(key: &'a str, domain: &'a str, sender: &'a str, recipients: &'a [&'a str]) -> Hop<'a> {
        Hop { key, domain, sender, recipients }
    }
}

impl Mail {
    /// Puts the next Message-Instance on top, of the message as it is, with this recipe for the version before.
    #[must_use]
    pub fn version(self, recipe: Option<&str>) -> Mail {
        let number = self.count(MESSAGE_INSTANCE) + 1;
        let header = self.header();
        let header = digest(BodyCanon::Raw, &hashed_header(&Header::parse(&header), Draft::default()), None);
        let body = digest(BodyCanon::Simple, self.body_octets(), None);
        let recipe = recipe.map(|json| format!("\r\n r={};", STANDARD.encode(json))).unwrap_or_default();
        let [header, body] = [header, body].map(|hash| STANDARD.encode(hash));
        self.above(format!("{MESSAGE_INSTANCE}: m={number};\r\n h=sha256:{header}:\r\n {body};{recipe}"))
    }

    /// The same with the recipe that leads back to this message.
    ///
    /// # Panics
    ///
    /// If nothing leads back.
    #[must_use]
    pub fn version_after(self, before: &Mail) -> Mail {
        let (old, new) = (before.octets(), self.octets());
        let recipe = recipe_for(&Message::split(&old), &Message::split(&new), Draft::default()).expect("a way back");
        self.version(Some(&recipe.to_json()))
    }

    /// Puts the next DKIM2-Signature on top, over all versions there are.
    #[must_use]
    pub fn hop(self, by: &Hop<'_>) -> Mail {
        let (number, version) = (self.count(DKIM2_SIGNATURE) + 1, self.count(MESSAGE_INSTANCE));
        let path = |address: &str| STANDARD.encode(format!("<{address}>"));
        let recipients: Vec<String> = by.recipients.iter().map(|recipient| path(recipient)).collect();
        let unsigned = format!(
            "{DKIM2_SIGNATURE}: i={number}; m={version}; t={TIME}; d={};\r\n mf={};\r\n rt={};\r\n s=s1:ed25519-sha256:",
            by.domain,
            path(by.sender),
            recipients.join(",\r\n "),
        );
        let value = signature(by.key, &self.signing_input(&format!("{unsigned};")));
        self.above(format!("{unsigned}\r\n {value};"))
    }

    /// § -08 6.3: all versions, all signatures, and this one without its value; each in its order, since every new field
    /// stands on top.
    fn signing_input(&self, own: &str) -> Vec<u8> {
        let fields = self.fields();
        let named =
            |name: &'static str| fields.iter().rev().filter(move |field| field.starts_with(&format!("{name}:")));
        let all = named(MESSAGE_INSTANCE).chain(named(DKIM2_SIGNATURE)).map(String::as_str).chain([own]);
        let mut input = Vec::new();
        for (name, value) in all.filter_map(|field| field.split_once(':')) {
            input.extend(name.to_ascii_lowercase().bytes().chain([b':']));
            input.extend(value.bytes().filter(|octet| !b" \t\r\n".contains(octet)));
            input.extend_from_slice(b"\r\n");
        }
        input
    }

    fn count(&self, name: &str) -> usize {
        self.fields().iter().filter(|field| field.starts_with(&format!("{name}:"))).count()
    }
}
