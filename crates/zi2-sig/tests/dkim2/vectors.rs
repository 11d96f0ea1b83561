//! The vectors: verdicts, and every octet that is hashed or signed on the way to them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Message};
use zi2_sig::dkim2::{Binding, Brackets, Chain, Draft, Envelope, Outcome, Policy, hashed_header, undo};

use crate::kit::{Dns, json, message, verify};

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

#[test]
fn every_case_by_every_draft() {
    let (cases, dns) = (json("cases.json"), Dns::of_vectors());
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 43, "only {} cases", cases.len());
    for case in cases {
        let rcpt = case["rcpt_to"].as_array().unwrap().iter().map(|rcpt| rcpt.as_str().unwrap());
        let envelope = Envelope::of(text(case, "mail_from").as_bytes(), rcpt);
        let mail = message(&format!("expected/{}", text(case, "file")));
        let brackets = if case["strict"] == true { Brackets::Required } else { Brackets::Optional };
        for draft in Draft::ALL {
            let policy = Policy { draft, brackets };
            let verdict = verify(&mail, &envelope, case["now"].as_u64().unwrap(), &policy, &dns);
            let why = verdict.failure().map(ToString::to_string);
            assert_eq!(verdict.result(), text(case, "expected"), "{}: {why:?}", text(case, "name"));
            assert_eq!(matches!(verdict.outcome, Outcome::Full(_)), verdict.result() == "pass");
        }
    }
}

#[test]
fn the_octets_that_are_hashed_and_signed() {
    let decoded = |value: &Value, key: &str| STANDARD.decode(text(value, key)).unwrap();
    let files = json("intermediates.json");
    assert!(files.as_object().unwrap().len() >= 49);
    let (mut instances, mut signatures) = (0, 0);
    for (file, expected) in files.as_object().unwrap() {
        let mail = message(&format!("expected/{file}"));
        let whole = Message::split(&mail);
        let chain = match Chain::read(&whole.header, Draft::D08, Brackets::Optional) {
            Ok(Some(chain)) => chain,
            other => {
                // What is refused has a header section all the same.
                let input = decoded(&expected["instances"]["1"], "header_hash_input_base64");
                assert_eq!(hashed_header(&whole.header, Draft::D08), input, "{file}: {other:?}");
                continue;
            }
        };
        for (number, instance) in expected["instances"].as_object().unwrap() {
            let undone = undo(&whole, &chain, number.parse().unwrap()).unwrap();
            let undone = Message::split(&undone);
            let input = hashed_header(&undone.header, Draft::D08);
            let expected_input = decoded(instance, "header_hash_input_base64");
            assert_eq!(
                input.escape_ascii().to_string(),
                expected_input.escape_ascii().to_string(),
                "{file} m={number}"
            );
            let mut plan = DigestPlan::new();
            let lane = plan.request(BodyCanon::Simple, HashAlg::Sha256);
            let mut body = plan.start();
            body.feed(undone.body);
            assert_eq!(body.finish().get(lane), decoded(instance, "body_sha256"), "{file} m={number}");
            instances += 1;
            if let Some(json) = instance["recipe_json"].as_str() {
                let found = chain.instances().iter().find(|one| one.number().to_string() == *number).unwrap();
                assert_eq!(found.recipe().unwrap().to_json(), json, "{file}: our JSON is theirs");
            }
        }
        for (number, signature) in expected["signatures"].as_object().unwrap() {
            let found = chain.signatures().iter().find(|one| one.number().to_string() == *number).unwrap();
            let input = decoded(signature, "signing_input_base64");
            assert_eq!(chain.signed_by(found).escape_ascii().to_string(), input.escape_ascii().to_string(), "{file}");
            if let Binding::Envelope { sender, recipients } = found.binding() {
                let bare = |path: &str| path.trim_matches(['<', '>']).to_owned();
                assert_eq!(bare(&sender.to_string()), bare(text(signature, "mf")), "{file}");
                let expected: Vec<_> =
                    signature["rt"].as_array().unwrap().iter().map(|rt| bare(rt.as_str().unwrap())).collect();
                assert_eq!(recipients.iter().map(|rt| bare(&rt.to_string())).collect::<Vec<_>>(), expected, "{file}");
            }
            signatures += 1;
        }
    }
    assert!(instances >= 45 && signatures >= 45, "{instances} {signatures}");
}
