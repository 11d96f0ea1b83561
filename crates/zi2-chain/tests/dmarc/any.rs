//! What must hold for any records, names and answers.

use proptest::prelude::*;
use zi2_chain::dmarc::{Dmarc, Identifiers, Outcome, Policy, PolicyTag, Record, ReportUri};
use zi2_chain::{Answer, Question, limits};

use super::domain;

/// Names and records that meet often, so that walks, suffixes and relations all occur.
fn any_name() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]", 1..11).prop_map(|labels| labels.join("."))
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let record = prop::sample::select(vec![
        "v=DMARC1; p=reject",
        "v=DMARC1; p=none; psd=n",
        "v=DMARC1; p=none; psd=y; np=reject",
        "v=DMARC1; p=quarantine; adkim=s; sp=none; np=reject",
        "v=DMARC1; p=x",
        "v=DMARC1; p=none; p=none",
        "v=spf1",
    ]);
    prop_oneof![
        4 => Just(Answer::NoSuchName),
        1 => Just(Answer::NoData),
        1 => Just(Answer::Trouble),
        4 => prop::collection::vec(record.prop_map(|text| text.as_bytes().to_vec()), 1..3).prop_map(Answer::Txt),
        1 => prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..3).prop_map(Answer::Txt),
    ]
}

proptest! {
    #[test]
    fn any_octets_as_a_record(txt in prop::collection::vec(any::<u8>(), 0..200), tags in "[-a-zA-Z0-9=;:,!@. \t]{0,120}") {
        let _ = Record::parse(&txt);
        let with_version = format!("v=DMARC1;{tags}");
        if let Ok(record) = Record::parse(with_version.as_bytes()) {
            for uri in record.rua().iter().chain(record.ruf()) {
                let again = ReportUri::parse(uri.as_str().as_bytes());
                prop_assert_eq!(again.as_ref(), Some(uri));
            }
            let policies = [PolicyTag::P, PolicyTag::Sp, PolicyTag::Np].map(|tag| record.policy(tag).is_some());
            prop_assert!(policies == [true; 3] || policies == [false; 3]);
        }
    }

    #[test]
    fn any_world(
        from in any_name(),
        spf in prop::option::of(any_name()),
        dkim in prop::collection::vec(any_name(), 0..6),
        answers in prop::collection::vec(any_answer(), 1..12),
        early in any::<bool>(),
    ) {
        let names = Identifiers {
            spf: spf.as_deref().map(domain),
            dkim: dkim.iter().map(|name| domain(name)).collect(),
            undecided: vec![],
        };
        // an answer depends on the name alone
        let world = |name: &str| answers[name.bytes().map(usize::from).sum::<usize>() * 7 % answers.len()].clone();
        let evaluate = |early: bool| {
            let mut dmarc = Dmarc::new(&domain(&from));
            let mut asked: Vec<Question> = Vec::new();
            if early {
                dmarc.identify(names.clone());
            }
            for _ in 0..2 {
                while let Some(question) = dmarc.poll() {
                    let Question::Txt(name) = &question else { panic!("{question:?}") };
                    dmarc.answer(&question, world(name.as_str()));
                    asked.push(question);
                }
                dmarc.identify(names.clone());
            }
            (dmarc.finish(), asked)
        };
        let (result, asked) = evaluate(early);
        prop_assert!(asked.len() <= limits::DMARC_QUESTIONS);
        let distinct: std::collections::HashSet<_> = asked.iter().collect();
        prop_assert_eq!(distinct.len(), asked.len(), "no question is asked twice");
        prop_assert_eq!(&evaluate(!early), &(result.clone(), asked));
        if let Some(aligned) = &result.aligned {
            prop_assert_eq!(result.outcome, Outcome::Pass);
            let known = names.spf.iter().chain(&names.dkim).any(|name| name == &aligned.domain);
            prop_assert!(known, "only what was authenticated aligns");
        }
        prop_assert!(result.outcome == Outcome::Fail || result.disposition() == Policy::None);
    }

    #[test]
    fn finished_at_any_time(from in any_name(), answers in prop::collection::vec(any_answer(), 0..8)) {
        let mut dmarc = Dmarc::new(&domain(&from));
        for answer in answers {
            let Some(question) = dmarc.poll() else { break };
            dmarc.answer(&question, answer);
        }
        prop_assert!(dmarc.finish().outcome != Outcome::Pass, "nothing was authenticated");
    }
}
