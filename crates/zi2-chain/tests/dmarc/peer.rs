//! Worlds at random (`vectors/dmarc`): what mailauth says of each, and what we do.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use zi2_chain::dmarc::{Dmarc, Identifiers};
use zi2_chain::{Answer, Question};

use super::domain;

#[derive(Deserialize)]
struct World {
    from: String,
    spf: Option<String>,
    dkim: Vec<String>,
    zone: BTreeMap<String, Option<Vec<String>>>,
    result: String,
    place: Option<String>,
    policy: String,
}

#[test]
fn mailauth_says_the_same() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dmarc/mailauth.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.lines().count(), 400);
    for line in text.lines() {
        let world: World = serde_json::from_str(line).unwrap();
        let mut dmarc = Dmarc::new(&domain(&world.from));
        dmarc.identify(Identifiers {
            spf: world.spf.as_deref().map(domain),
            dkim: world.dkim.iter().map(|name| domain(name)).collect(),
            undecided: vec![],
        });
        while let Some(question) = dmarc.poll() {
            let answer = world.answer(&question);
            dmarc.answer(&question, answer);
        }
        let result = dmarc.finish();
        let place = result.applied.as_ref().map(|applied| applied.place.as_str());
        assert_eq!(result.outcome.as_str(), world.result, "{:?}: {line}", result.reason);
        assert_eq!(result.disposition().as_str(), world.policy, "{line}");
        assert!(world.place.is_none() || place == world.place.as_deref(), "{place:?}: {line}");
    }
}

impl World {
    /// A name exists if it or one below it is there (RFC 8020).
    fn answer(&self, question: &Question) -> Answer {
        let Question::Txt(name) = question else { panic!("{question:?}") };
        let below = format!(".{name}");
        match self.zone.get(name.as_str()) {
            Some(None) => Answer::Trouble,
            Some(Some(records)) if !records.is_empty() => {
                Answer::Txt(records.iter().map(|record| record.as_bytes().to_vec()).collect())
            }
            None if !self.zone.keys().any(|other| other.ends_with(&below)) => Answer::NoSuchName,
            _ => Answer::NoData,
        }
    }
}
