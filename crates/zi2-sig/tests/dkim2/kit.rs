//! What the tests share: vectors, DNS as data, one call for a whole verification.

use std::path::{Path, PathBuf};

use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::dkim2::{Envelope, KeyAnswer, KeyRecords, Policy, Verdict, Verifier};

/// The folder of the vectors.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim2")
}

/// A file of JSON among them.
pub(crate) fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

/// A message among them, as SMTP has it.
pub(crate) fn message(name: &str) -> Vec<u8> {
    zi2_mail::crlf_at_every_lf(&std::fs::read(folder().join(name)).unwrap()).into_owned()
}

/// Names and TXT records.
pub(crate) struct Dns(pub(crate) Vec<(String, Vec<String>)>);

impl Dns {
    /// The DNS of the vectors.
    pub(crate) fn of_vectors() -> Dns {
        let mut names = Vec::new();
        for (domain, selectors) in json("dns.json").as_object().unwrap() {
            for (selector, records) in selectors.as_object().unwrap() {
                let texts = records.as_array().unwrap().iter().map(|one| one[1].as_str().unwrap().to_owned());
                names.push((format!("{selector}.{domain}"), texts.collect()));
            }
        }
        Dns(names)
    }

    pub(crate) fn answer(&self, name: &str) -> KeyAnswer {
        let texts = self.0.iter().filter(|(other, _)| other == name).flat_map(|(_, texts)| texts);
        KeyAnswer::Records(KeyRecords::parse(texts.map(String::as_bytes)))
    }
}

/// One message verified.
pub(crate) fn verify(mail: &[u8], envelope: &Envelope, now: u64, policy: &Policy, dns: &Dns) -> Verdict {
    let message = Message::split(mail);
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&message.header, envelope, Timestamp::from_secs(now), policy, &mut plan);
    for name in verifier.questions() {
        verifier.answer(&name, &dns.answer(name.as_str()));
    }
    let mut body = plan.start();
    message.body.chunks(7).for_each(|chunk| body.feed(chunk));
    let retained = if verifier.wants_body() { message.body } else { b"" };
    verifier.finish(&body.finish(), retained)
}
