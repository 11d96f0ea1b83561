//! Messages and keys.

use std::collections::HashMap;

use zi2_chain::arc::{Arc, ArcResult};
use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::Trouble;
use zi2_sig::dkim::{DkimRecords, Policy, RecordAnswer};

/// When the suite was made; nothing in it expires.
const NOW: Timestamp = Timestamp::from_secs(1_484_000_000);

/// The TXT records of key names.
#[derive(Default)]
pub(crate) struct Keys(pub(crate) HashMap<String, String>);

impl Keys {
    fn answer(&self, name: &str) -> RecordAnswer {
        let txt = self.0.get(name).map(String::as_bytes);
        match txt {
            Some(b"!") => RecordAnswer::Unavailable(Trouble::Timeout),
            _ => RecordAnswer::Records(DkimRecords::parse(txt)),
        }
    }
}

/// The result, and the names asked.
pub(crate) fn verify(octets: &[u8], keys: &Keys) -> (ArcResult, Vec<String>) {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let mut arc = Arc::new(&message.header, NOW, &Policy::default(), &mut plan);
    let questions = arc.questions();
    for name in &questions {
        arc.answer(name, &keys.answer(name.as_str()));
    }
    let mut digester = plan.start();
    digester.feed(message.body);
    (arc.finish(&digester.finish()), questions.iter().map(ToString::to_string).collect())
}
