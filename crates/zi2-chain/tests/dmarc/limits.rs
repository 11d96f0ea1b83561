//! Each limit at its value and one above.

use zi2_chain::dmarc::{Outcome, Reason, Record, RecordError};
use zi2_chain::limits;

use super::{Zone, identifiers, run};

#[test]
fn limits_hold() {
    let padded = |octets: usize| format!("v=DMARC1;p=none;x={}", "x".repeat(octets - 18));
    assert!(Record::parse(padded(limits::DMARC_RECORD_OCTETS).as_bytes()).is_ok());
    let error = Record::parse(padded(limits::DMARC_RECORD_OCTETS + 1).as_bytes());
    assert_eq!(error, Err(RecordError::TooLong(limits::DMARC_RECORD_OCTETS + 1)));

    let name = |tag: usize| char::from(b'a' + u8::try_from(tag % 26).unwrap()).to_string().repeat(1 + tag / 26);
    let tags = |tags: usize| (1..tags).map(|tag| format!(";{}=1", name(tag + 26))).collect::<String>();
    assert!(Record::parse(format!("v=DMARC1{}", tags(limits::DMARC_TAGS)).as_bytes()).is_ok());
    let error = Record::parse(format!("v=DMARC1{}", tags(limits::DMARC_TAGS + 1)).as_bytes());
    assert_eq!(error, Err(RecordError::TooManyTags));

    let uris = |uris: usize| {
        let list = vec!["mailto:a@b.example"; uris].join(",");
        Record::parse(format!("v=DMARC1; rua={list}").as_bytes()).unwrap().rua().len()
    };
    assert_eq!(uris(limits::DMARC_REPORT_URIS), limits::DMARC_REPORT_URIS);
    assert_eq!(uris(limits::DMARC_REPORT_URIS + 1), limits::DMARC_REPORT_URIS);

    // identifiers that are looked up: the last one that counts, and one more
    let zone: &[(&str, &[&str])] =
        &[("_dmarc.good.example", &["v=DMARC1; p=reject"]), ("_dmarc.t.good.example", &["v=DMARC1; p=none; psd=n"])];
    let tenants: Vec<String> = (0..limits::DMARC_WALKS).map(|tenant| format!("{tenant}.t.good.example")).collect();
    let mut dkim: Vec<&str> = tenants.iter().map(String::as_str).collect();
    dkim.push("a.good.example");
    assert_eq!(run("good.example", identifiers("", &dkim[1..]), &Zone(zone)).0.reason, Reason::Aligned);
    assert_eq!(run("good.example", identifiers("", &dkim), &Zone(zone)).0.reason, Reason::NotAligned);
    // repeating one costs nothing
    assert_eq!(
        run("good.example", identifiers("", &[dkim[0], dkim[0], dkim[0], dkim[3]]), &Zone(zone)).0.reason,
        Reason::Aligned
    );
}

#[test]
fn questions_are_bounded() {
    // the longest there is: nine labels each, organizations that are not the author's
    let from = "a.h.g.f.e.d.c.b.example";
    let dkim: Vec<String> = (0..10).map(|id| format!("{id}{}.z.y.x.w.v.u.{from}", ".l".repeat(9))).collect();
    let dkim: Vec<&str> = dkim.iter().map(String::as_str).collect();
    let record = "v=DMARC1; p=reject; np=none; psd=n";
    let name = format!("_dmarc.{from}");
    let (result, asked) = run(from, identifiers("", &dkim), &Zone(&[(&name, &[record])]));
    assert_eq!(result.outcome, Outcome::Fail);
    assert!(asked.len() <= limits::DMARC_QUESTIONS, "{}", asked.len());
}
