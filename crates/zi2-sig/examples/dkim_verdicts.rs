//! Verdicts over many messages, for comparing with other programs (`dev/peers/dkim`). Reads lines of JSON
//! `{"message": base64, "now": seconds, "dns": {name: [txt, ...]}}`, writes for each a line with a JSON list of verdicts.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead;

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::dkim::{DkimRecords, Facts, Policy, RecordAnswer, Verifier};

#[derive(serde::Deserialize)]
struct Line {
    message: String,
    now: u64,
    dns: BTreeMap<String, Vec<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let octets = STANDARD.decode(&line.message)?;
        let verdicts: Vec<String> = verify(&octets, &line).signatures.iter().map(|s| word(s.outcome())).collect();
        println!("{}", serde_json::to_string(&verdicts)?);
    }
    Ok(())
}

fn verify(octets: &[u8], line: &Line) -> Facts {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let now = Timestamp::from_secs(line.now);
    let mut verifier = Verifier::new(&message.header, now, &Policy::default(), &mut plan);
    for name in verifier.questions() {
        let txts = line.dns.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let records = DkimRecords::parse(txts.iter().map(String::as_bytes));
        verifier.answer(&name, &RecordAnswer::Records(records));
    }
    let mut digester = plan.start();
    digester.feed(message.body);
    verifier.finish(&digester.finish())
}

fn word(outcome: zi2_sig::dkim::Outcome) -> String {
    [Some(outcome.result()), outcome.reason()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
