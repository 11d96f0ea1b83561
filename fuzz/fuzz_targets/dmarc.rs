//! A policy record is read in one way, and whatever stands in DNS, DMARC asks little, never twice, and passes only by what was
//! authenticated.
//!
//! Input: lines. The author domain, a domain of SPF, a domain of DKIM, then records, which the names that are asked share.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_chain::dmarc::{Dmarc, DmarcResult, Identifiers, Outcome, Policy, PolicyTag, Record, ReportUri};
use zi2_chain::{Answer, Question, limits};
use zi2_mail::Domain;

fuzz_target!(|data: &[u8]| {
    record(data);
    let mut lines = data.split(|octet| *octet == b'\n');
    let mut domain = || Domain::parse(std::str::from_utf8(lines.next()?).ok()?).ok();
    let Some(from) = domain() else { return };
    let names = Identifiers { spf: domain(), dkim: domain().into_iter().collect(), undecided: Vec::new() };
    let records: Vec<&[u8]> = lines.collect();
    records.iter().for_each(|txt| record(txt));
    let (result, asked) = evaluate(&from, &names, &records, Told::First);
    assert_eq!(evaluate(&from, &names, &records, Told::Last), (result.clone(), asked));
    if let Some(aligned) = &result.aligned {
        assert_eq!(result.outcome, Outcome::Pass);
        assert!(names.spf.iter().chain(&names.dkim).any(|name| *name == aligned.domain));
    }
    assert!(result.outcome == Outcome::Fail || result.disposition() == Policy::None);
    let nobody = Identifiers { spf: None, dkim: Vec::new(), undecided: Vec::new() };
    assert_ne!(evaluate(&from, &nobody, &records, Told::First).0.outcome, Outcome::Pass);
});

fn record(txt: &[u8]) {
    let Ok(record) = Record::parse(txt) else { return };
    assert!(txt.len() <= limits::DMARC_RECORD_OCTETS);
    for uri in record.rua().iter().chain(record.ruf()) {
        assert_eq!(ReportUri::parse(uri.as_str().as_bytes()).as_ref(), Some(uri));
    }
    assert!(record.rua().len() <= limits::DMARC_REPORT_URIS && record.ruf().len() <= limits::DMARC_REPORT_URIS);
    let policies = [PolicyTag::P, PolicyTag::Sp, PolicyTag::Np].map(|tag| record.policy(tag).is_some());
    assert!(policies == [true; 3] || policies == [false; 3]);
    assert!(Record::parse(&[b"x=1;", txt].concat()).is_err(), "v comes first");
}

/// When the machine is told what was authenticated.
#[derive(PartialEq)]
enum Told {
    First,
    Last,
}

fn evaluate(from: &Domain, names: &Identifiers, records: &[&[u8]], told: Told) -> (DmarcResult, Vec<Question>) {
    let (mut dmarc, mut asked) = (Dmarc::new(from), Vec::new());
    if told == Told::First {
        dmarc.identify(names.clone());
    }
    for _ in 0..2 {
        while let Some(question) = dmarc.poll() {
            assert!(!asked.contains(&question), "asked twice");
            dmarc.answer(&question, answer(&question, records));
            asked.push(question);
        }
        dmarc.identify(names.clone());
    }
    assert!(asked.len() <= limits::DMARC_QUESTIONS);
    (dmarc.finish(), asked)
}

/// An answer depends on the name alone.
fn answer(question: &Question, records: &[&[u8]]) -> Answer {
    let Question::Txt(name) = question else { panic!("{question:?}") };
    let number = name.as_str().bytes().fold(0_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
    match number % (records.len() + 2) {
        0 => Answer::NoSuchName,
        1 if records.len() > 3 => Answer::Trouble,
        1 => Answer::NoData,
        place => Answer::Txt(vec![records[place - 2].to_vec()]),
    }
}
