//! The validation suite (`vectors/arc`), as it is: every case of every scenario.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Yaml};
use zi2_chain::arc::{ArcResult, Outcome, Reason};
use zi2_sig::dkim::Outcome as SignatureOutcome;

use crate::world::{Keys, verify};

const NAME: &str = "arc/arc-draft-validation-tests.yml";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(NAME)
}

/// A case of the suite: its name, its message as it went over the wire, its keys, and what it wants.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) message: Vec<u8>,
    pub(crate) keys: Keys,
    wanted: Outcome,
}

pub(crate) fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(file()).unwrap();
    let mut cases = Vec::new();
    for scenario in Yaml::load_from_str(&with_distinct_names(&text)).unwrap() {
        for (name, case) in scenario["tests"].as_mapping().unwrap() {
            cases.push(Case {
                name: name.as_str().unwrap().to_owned(),
                message: case["message"].as_str().unwrap().replace('\n', "\r\n").into_bytes(),
                keys: keys(&scenario["txt-records"]),
                wanted: wanted(case["cv"].as_str()),
            });
        }
    }
    cases
}

/// Four names of the suite stand there twice, with other messages, and YAML readers keep one of them at most: the second
/// one gets a mark, so that both are run.
fn with_distinct_names(text: &str) -> String {
    let mut seen = HashSet::new();
    let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.trim_end().ends_with(':');
    let distinct = |line: &str| match is_name(line) && !seen.insert(line.to_owned()) {
        true => line.replacen(':', "_again:", 1) + "\n",
        false => line.to_owned() + "\n",
    };
    text.lines().map(distinct).collect()
}

/// In folded YAML a record has a space at each fold, which base64 may hold.
fn keys(records: &Yaml<'_>) -> Keys {
    let records = records.as_mapping().unwrap().iter();
    Keys(
        records
            .map(|(name, txt)| (name.as_str().unwrap().to_owned(), txt.as_str().unwrap().trim().to_owned()))
            .collect(),
    )
}

/// Where the newest seal says that the chain is broken, the suite wants no status: nobody seals on top of it.
fn wanted(cv: Option<&str>) -> Outcome {
    match cv {
        Some("Pass") => Outcome::Pass,
        Some("None") => Outcome::None,
        Some("Fail" | "") | None => Outcome::Fail,
        Some(other) => panic!("cv: {other}"),
    }
}

pub(crate) fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

fn result(name: &str) -> ArcResult {
    let Case { message, keys, .. } = case(name);
    verify(&message, &keys).0
}

#[test]
fn every_case() {
    let cases = cases();
    assert_eq!(cases.len(), 171 + 4);
    let wrong = cases.iter().filter_map(|case| {
        let (result, _) = verify(&case.message, &case.keys);
        let wrong = result.outcome() != case.wanted || result.chain.is_some() != (case.wanted == Outcome::Pass);
        wrong.then(|| format!("{}: {:?}, not {:?}", case.name, result.reason, case.wanted))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_chain_says() {
    let chain = result("cv_pass_i3_1").chain.unwrap();
    let numbers: Vec<u8> = chain.hops().iter().map(|hop| hop.instance).collect();
    assert_eq!((numbers, chain.oldest_pass(), chain.covers_from()), (vec![1, 2, 3], 0, true));
    assert_eq!(chain.covered().last(), Some("arc-authentication-results"));
    let first = chain.first_results().unwrap();
    assert_eq!(first.host(), "lists.example.org");
    let words: Vec<_> = first.methods().iter().map(|method| (method.method(), method.result())).collect();
    assert_eq!(words, [("spf", "pass"), ("dkim", "pass"), ("dmarc", "pass")]);
    assert_eq!(first.of("dkim").next().unwrap().property("header", "i"), Some("@d1.example"));

    assert_eq!(result("cv_pass_i2_1_ams1_invalid").chain.unwrap().oldest_pass(), 2);
    assert!(!result("ams_fields_h_empty").chain.unwrap().covers_from());
    let chain = result("ams_as_diff_s_d").chain.unwrap();
    let hop = &chain.hops()[0];
    assert_ne!(Some(&hop.sealer), hop.signer.as_ref());
}

#[test]
fn keys_that_cannot_be_asked_for() {
    let Case { message, mut keys, .. } = case("cv_pass_i2_1");
    let name = "dummy._domainkey.example.org";
    assert_eq!(verify(&message, &keys).1, [name], "each name once");
    keys.0.insert(name.to_owned(), "!".to_owned());
    let (result, _) = verify(&message, &keys);
    assert_eq!(result.outcome(), Outcome::TempError);
    assert!(matches!(result.reason, Reason::Message(SignatureOutcome::TempError(_))), "{:?}", result.reason);

    let Case { message, mut keys, .. } = case("ams_as_diff_s_d");
    let (_, names) = verify(&message, &keys);
    assert_eq!(names.len(), 2);
    keys.0.insert(names[1].clone(), "!".to_owned());
    let (result, _) = verify(&message, &keys);
    assert!(matches!(result.reason, Reason::Seal(1, SignatureOutcome::TempError(_))), "{:?}", result.reason);
}
