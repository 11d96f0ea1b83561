//! DMARC: discovery, records and alignment, as tables; what must hold for any octets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod alignment;
mod any;
mod discovery;
mod limits;
mod peer;
mod record;

use zi2_chain::dmarc::{Dmarc, DmarcResult, Identifiers, Outcome, Policy, Reason};
use zi2_chain::{Answer, Question};
use zi2_mail::Domain;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A zone: names with their records. `!` in place of a record: no answer; no record: the name only exists.
struct Zone<'a>(&'a [(&'a str, &'a [&'a str])]);

impl Zone<'_> {
    fn answer(&self, question: &Question) -> Answer {
        let Question::Txt(name) = question else { panic!("{question:?}") };
        match self.0.iter().find(|(other, _)| *other == name.as_str()) {
            Some((_, ["!"])) => Answer::Trouble,
            Some((_, [])) => Answer::NoData,
            Some((_, records)) => Answer::Txt(records.iter().map(|record| record.as_bytes().to_vec()).collect()),
            None => Answer::NoSuchName,
        }
    }
}

fn identifiers(spf: &str, dkim: &[&str]) -> Identifiers {
    let spf = (!spf.is_empty()).then(|| domain(spf));
    Identifiers { spf, dkim: dkim.iter().map(|text| domain(text)).collect(), undecided: Vec::new() }
}

/// Runs one evaluation: the result, and the names asked, without `_dmarc.` where it stands.
fn run(from: &str, identifiers: Identifiers, zone: &Zone<'_>) -> (DmarcResult, Vec<String>) {
    let mut dmarc = Dmarc::new(&domain(from));
    let mut asked = Vec::new();
    let mut ask_all = |dmarc: &mut Dmarc| {
        while let Some(question) = dmarc.poll() {
            let Question::Txt(name) = &question else { panic!("{question:?}") };
            asked.push(name.to_string().replace("_dmarc.", ""));
            let answer = zone.answer(&question);
            dmarc.answer(&question, answer);
        }
    };
    ask_all(&mut dmarc);
    dmarc.identify(identifiers);
    ask_all(&mut dmarc);
    (dmarc.finish(), asked)
}

const P: &str = "v=DMARC1; p=reject";

#[test]
fn answers_to_no_question() {
    let mut dmarc = Dmarc::new(&domain("good.example"));
    let before = dmarc.poll();
    let other = Question::Txt(zi2_chain::DnsName::parse("_dmarc.example").unwrap());
    for question in [other, Question::Mx(zi2_chain::DnsName::parse("good.example").unwrap())] {
        dmarc.answer(&question, Answer::Txt(vec![P.into()]));
        assert_eq!(dmarc.poll(), before);
    }
    dmarc.answer(&before.unwrap(), Answer::V4(vec![])); // an answer of another kind: no record
    assert!(dmarc.poll().is_some());
}

#[test]
fn cases_of_the_threat_model() {
    let z0: &[(&str, &[&str])] = &[("_dmarc.good.example", &["v=DMARC1; p=reject"])];
    // TC-094: a From domain of 120 labels; with _dmarc in front of it the first name is too long to exist
    let many = format!("{}good.example", "a.".repeat(118));
    let (result, asked) = run(&many, identifiers("evil.example", &[]), &Zone(z0));
    assert_eq!((asked.len(), result.outcome, result.disposition()), (7, Outcome::Fail, Policy::Reject));
    // TC-099: SPF and DKIM broken; ZI2 is none of DMARC's identifiers
    let (result, _) = run("good.example", identifiers("", &[]), &Zone(z0));
    assert_eq!((result.outcome, result.disposition()), (Outcome::Fail, Policy::Reject));
    // TC-104: MAIL FROM below a domain that is not there: SPF says none, so it authenticates nothing
    let (result, _) = run("good.example", identifiers("", &["evil.example"]), &Zone(z0));
    assert_eq!(result.reason, Reason::NotAligned);
    // TC-128: two records; duplicate p; no p with rua
    let outcome = |records: &[&str]| {
        let (result, _) = run("good.example", identifiers("", &[]), &Zone(&[("_dmarc.good.example", records)]));
        (result.outcome, result.applied.map(|applied| applied.policy))
    };
    assert_eq!(outcome(&[P, "v=DMARC1; p=none"]), (Outcome::None, None));
    assert_eq!(outcome(&["v=DMARC1; p=reject; p=none"]), (Outcome::PermError, None));
    assert_eq!(outcome(&["v=DMARC1; rua=mailto:d@good.example"]), (Outcome::Fail, Some(Policy::None)));
}
