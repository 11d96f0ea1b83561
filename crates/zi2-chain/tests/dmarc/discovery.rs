//! Which names are asked, which record applies, and how.

use zi2_chain::dmarc::{Existence, Outcome, Policy, PolicyTag, Reason, RecordError};
use zi2_mail::Domain;

use super::{P, Zone, domain, identifiers, run};

#[test]
fn the_walk_of_the_standard() {
    // RFC 9989 §4.10
    let (result, asked) = run("a.b.c.d.e.f.g.h.i.j.mail.example.com", identifiers("", &[]), &Zone(&[]));
    let wanted = [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ];
    assert_eq!((result.outcome, result.reason), (Outcome::None, Reason::NoRecord));
    assert_eq!(asked, wanted);
    // RFC 9989 §5.1: a record at a name that the shortened walk jumps over is never found
    let zone = Zone(&[("_dmarc.example.com", &[P]), ("_dmarc.b.c.d.e.f.g.example.com", &["v=DMARC1; p=none; psd=n"])]);
    let (result, asked) = run("mail.a.b.c.d.e.f.g.example.com", identifiers("", &[]), &zone);
    assert_eq!(asked[..3], ["mail.a.b.c.d.e.f.g.example.com", "c.d.e.f.g.example.com", "d.e.f.g.example.com"]);
    assert_eq!((asked.len(), result.applied.unwrap().place), (8, domain("example.com")));
}

/// Author domain, zone, organizational domain, place of the record that applies, questions.
type Discovery<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])], &'a str, &'a str, usize);

#[test]
fn discovery() {
    let cases: &[Discovery<'_>] = &[
        // the three examples of RFC 9989 §4.10.2
        (
            "a.mail.example.com",
            &[("_dmarc.mail.example.com", &[P]), ("_dmarc.example.com", &[P])],
            "example.com",
            "example.com",
            4,
        ),
        (
            "a.mail.example.com",
            &[("_dmarc.mail.example.com", &["v=DMARC1; p=none; psd=n"])],
            "mail.example.com",
            "mail.example.com",
            2,
        ),
        ("a.mail.example.com", &[("_dmarc.com", &["v=DMARC1; p=none; psd=y"])], "example.com", "com", 4),
        // a public suffix in between; one that sends mail itself
        (
            "a.mail.example.com",
            &[("_dmarc.example.com", &["v=DMARC1; p=none; psd=y"])],
            "mail.example.com",
            "example.com",
            3,
        ),
        ("example.com", &[("_dmarc.example.com", &["v=DMARC1; p=none; psd=y"])], "example.com", "example.com", 1),
        // the organization's own record goes before its suffix's; a record between the two is neither
        (
            "a.example.com",
            &[("_dmarc.example.com", &[P]), ("_dmarc.com", &["v=DMARC1; p=none; psd=y"])],
            "example.com",
            "example.com",
            3,
        ),
        (
            "a.mail.example.com",
            &[("_dmarc.mail.example.com", &[P]), ("_dmarc.com", &["v=DMARC1; p=none; psd=y"])],
            "example.com",
            "com",
            4,
        ),
        // psd=u is as none; psd=junk too
        (
            "a.example.com",
            &[("_dmarc.a.example.com", &["v=DMARC1; p=none; psd=u"]), ("_dmarc.example.com", &[P])],
            "example.com",
            "a.example.com",
            3,
        ),
        (
            "a.example.com",
            &[("_dmarc.example.com", &["v=DMARC1; p=none; psd=x"]), ("_dmarc.com", &[P])],
            "com",
            "com",
            3,
        ),
        // what is no record or more than one does not count
        (
            "a.example.com",
            &[("_dmarc.a.example.com", &["v=spf1 -all", "v=DMARC1; p=none; psd=n"])],
            "a.example.com",
            "a.example.com",
            1,
        ),
        (
            "a.example.com",
            &[("_dmarc.a.example.com", &[P, P]), ("_dmarc.example.com", &[P])],
            "example.com",
            "example.com",
            3,
        ),
        (
            "a.example.com",
            &[("_dmarc.a.example.com", &["v=DMARC1; p=none; p=none"]), ("_dmarc.example.com", &[P])],
            "example.com",
            "example.com",
            3,
        ),
        ("com", &[("_dmarc.com", &[P])], "com", "com", 1),
    ];
    for (from, zone, organization, place, questions) in cases {
        // a relative that fails to align makes the organization needed
        let (result, asked) = run(from, identifiers("", &["relative.com"]), &Zone(zone));
        let applied = result.applied.as_ref().map(|applied| applied.place.as_str());
        let found = (result.organization.as_ref().map(Domain::as_str), applied);
        assert_eq!(found, (Some(*organization), Some(*place)), "{from} {zone:?}");
        let from_walk = asked.iter().filter(|name| from.ends_with(name.as_str())).count();
        assert_eq!(from_walk, *questions, "{from} {zone:?} {asked:?}");
    }
}

#[test]
fn no_policy() {
    let cases: [(&[&str], Reason, Outcome); 9] = [
        (&[], Reason::NoRecord, Outcome::None),
        (&["v=spf1 -all"], Reason::NoRecord, Outcome::None),
        (&[P, P], Reason::SeveralRecords, Outcome::None),
        (&[P, "v=DMARC1; p=none; p=none"], Reason::SeveralRecords, Outcome::None),
        (&["v=DMARC1; p=reject; p=none"], Reason::BadRecord(RecordError::Duplicate), Outcome::PermError),
        (&["v=DMARC1"], Reason::NoPolicy, Outcome::None),
        (&["v=DMARC1; p=rejct"], Reason::NoPolicy, Outcome::None),
        (&["v=DMARC1; p=reject; sp=all"], Reason::NoPolicy, Outcome::None),
        (&["!"], Reason::Unanswered, Outcome::TempError),
    ];
    for (records, reason, outcome) in cases {
        let zone = [("_dmarc.good.example", records)];
        let (result, _) = run("good.example", identifiers("good.example", &["good.example"]), &Zone(&zone));
        assert_eq!((result.reason, result.outcome, result.applied.is_some()), (reason, outcome, false), "{records:?}");
        assert_eq!(result.disposition(), Policy::None);
    }
}

#[test]
fn policy_of_a_subdomain() {
    use Existence::{Exists, Missing, Unknown};
    use PolicyTag::{Np, P, Sp};
    let (all, np) = ("v=DMARC1; p=none; sp=quarantine; np=reject", "v=DMARC1; p=quarantine; np=reject");
    type Case<'a> = (&'a [(&'a str, &'a [&'a str])], PolicyTag, Policy, Existence, usize);
    let cases: &[Case<'_>] = &[
        (&[("_dmarc.a.example", &[all])], P, Policy::None, Exists, 1),
        (&[("_dmarc.example", &[all]), ("a.example", &["v=spf1 -all"])], Sp, Policy::Quarantine, Exists, 3),
        (&[("_dmarc.example", &[all]), ("a.example", &[])], Sp, Policy::Quarantine, Exists, 3),
        (&[("_dmarc.example", &[all]), ("_dmarc.a.example", &["other"])], Sp, Policy::Quarantine, Exists, 2),
        (&[("_dmarc.example", &[all]), ("a.example", &["!"])], Sp, Policy::Quarantine, Unknown, 3),
        (&[("_dmarc.example", &[all])], Np, Policy::Reject, Missing, 3),
        (&[("_dmarc.example", &[np])], Np, Policy::Reject, Missing, 3),
        (&[("_dmarc.example", &[np]), ("a.example", &[])], P, Policy::Quarantine, Exists, 3),
        (&[("_dmarc.example", &["v=DMARC1; p=none; sp=reject"])], Sp, Policy::Reject, Unknown, 2),
        (&[("_dmarc.example", &["v=DMARC1; p=reject"])], P, Policy::Reject, Unknown, 2),
        (&[("_dmarc.example", &["v=DMARC1; p=no; np=reject; rua=mailto:d@a.example"])], P, Policy::None, Unknown, 2),
    ];
    for (zone, tag, policy, existence, questions) in cases {
        let (result, asked) = run("a.example", identifiers("", &[]), &Zone(zone));
        assert_eq!((result.outcome, result.reason), (Outcome::Fail, Reason::NothingAuthenticated), "{zone:?}");
        let applied = result.applied.clone().unwrap();
        assert_eq!((applied.tag, applied.policy, applied.existence), (*tag, *policy, *existence), "{zone:?}");
        assert_eq!((result.disposition(), asked.len()), (*policy, *questions), "{zone:?} {asked:?}");
    }
}

#[test]
fn a_policy_under_test_is_one_level_lower() {
    for (record, wanted) in [
        ("v=DMARC1; p=reject; t=y", Policy::Quarantine),
        ("v=DMARC1; p=quarantine; t=Y", Policy::None),
        ("v=DMARC1; p=none; t=y", Policy::None),
        ("v=DMARC1; p=reject; t=n", Policy::Reject),
        ("v=DMARC1; p=reject; pct=0", Policy::Reject),
    ] {
        let (result, _) = run("a.example", identifiers("", &[]), &Zone(&[("_dmarc.a.example", &[record])]));
        assert_eq!(result.disposition(), wanted, "{record}");
    }
}
