//! Which authenticated domains stand for the author.

use zi2_chain::dmarc::{Dmarc, Identifiers, Likeness, Method, Outcome, Policy, Reason};

use super::{Zone, domain, identifiers, run};

type Records<'a> = &'a [(&'a str, &'a [&'a str])];

/// `Some`: what aligned, and how; `None`: a fail for another's domains.
type Meeting<'a> = (&'a str, &'a str, &'a [&'a str], Option<(Method, &'a str, Likeness)>, usize);

#[test]
fn alignment() {
    use Likeness::{Identical, SameOrganization};
    use Method::{Dkim, Spf};
    const RELAXED: Records<'_> = &[
        ("_dmarc.good.example", &["v=DMARC1; p=reject"]),
        ("_dmarc.tenant.good.example", &["v=DMARC1; p=none; psd=n"]),
        ("_dmarc.pub.example", &["v=DMARC1; p=none; psd=y"]),
    ];
    const STRICT: Records<'_> = &[("_dmarc.good.example", &["v=DMARC1; p=reject; adkim=s; aspf=S"])];
    const MIXED: Records<'_> = &[("_dmarc.good.example", &["v=DMARC1; p=reject; adkim=s; aspf=r"])];
    let cases: &[(Records<'_>, Meeting<'_>)] = &[
        (RELAXED, ("good.example", "good.example", &[], Some((Spf, "good.example", Identical)), 1)),
        (RELAXED, ("good.example", "", &["good.example"], Some((Dkim, "good.example", Identical)), 1)),
        (
            RELAXED,
            ("good.example", "a.good.example", &["x.net", "good.example"], Some((Dkim, "good.example", Identical)), 1),
        ),
        (RELAXED, ("good.example", "a.good.example", &[], Some((Spf, "a.good.example", SameOrganization)), 3)),
        (RELAXED, ("a.good.example", "", &["good.example"], Some((Dkim, "good.example", SameOrganization)), 3)),
        (RELAXED, ("a.good.example", "", &["b.c.good.example"], Some((Dkim, "b.c.good.example", SameOrganization)), 5)),
        (RELAXED, ("good.example", "", &["evil.net"], None, 1)),
        (RELAXED, ("good.example", "", &["example"], None, 2)),
        (RELAXED, ("good.example", "", &["evil.example"], None, 2)),
        (RELAXED, ("good.example", "", &["notgood.example"], None, 2)),
        // a part of the tree that is an organization of its own, both ways
        (RELAXED, ("good.example", "", &["tenant.good.example"], None, 3)),
        (RELAXED, ("good.example", "", &["a.tenant.good.example"], None, 4)),
        (RELAXED, ("tenant.good.example", "", &["good.example"], None, 1)),
        (
            RELAXED,
            (
                "tenant.good.example",
                "",
                &["a.tenant.good.example"],
                Some((Dkim, "a.tenant.good.example", SameOrganization)),
                2,
            ),
        ),
        // two domains below one public suffix
        (RELAXED, ("a.pub.example", "", &["b.pub.example"], None, 2)),
        (RELAXED, ("x.a.pub.example", "", &["y.a.pub.example"], Some((Dkim, "y.a.pub.example", SameOrganization)), 4)),
        (STRICT, ("good.example", "a.good.example", &["a.good.example"], None, 1)),
        (STRICT, ("good.example", "", &["good.example"], Some((Dkim, "good.example", Identical)), 1)),
        (STRICT, ("a.good.example", "good.example", &[], None, 3)),
        (MIXED, ("good.example", "", &["a.good.example"], None, 1)),
        (
            MIXED,
            ("good.example", "b.good.example", &["a.good.example"], Some((Spf, "b.good.example", SameOrganization)), 3),
        ),
    ];
    for (zone, (from, spf, dkim, wanted, questions)) in cases {
        let (result, asked) = run(from, identifiers(spf, dkim), &Zone(zone));
        let found = result.aligned.as_ref().map(|found| (found.method, found.domain.as_str(), found.likeness));
        assert_eq!(found, *wanted, "{from} {spf} {dkim:?}");
        let reason = if wanted.is_some() { Reason::Aligned } else { Reason::NotAligned };
        assert_eq!((result.reason, asked.len()), (reason, *questions), "{from} {spf} {dkim:?} {asked:?}");
    }
}

#[test]
fn what_could_not_be_asked() {
    const ZONE: &[(&str, &[&str])] = &[
        ("_dmarc.good.example", &["v=DMARC1; p=reject"]),
        ("_dmarc.deaf.good.example", &["!"]),
        ("_dmarc.deaf.example", &["!"]),
        ("_dmarc.a.deaf.example", &["v=DMARC1; p=reject"]),
    ];
    for (from, dkim, undecided, wanted) in [
        // the author's own record
        ("deaf.example", "deaf.example", "", Reason::Unanswered),
        ("x.deaf.example", "x.deaf.example", "", Reason::Unanswered),
        // the author's organization, where only a relative passed
        ("a.deaf.example", "b.deaf.example", "", Reason::Unanswered),
        ("a.deaf.example", "a.deaf.example", "", Reason::Aligned),
        ("a.deaf.example", "evil.net", "", Reason::NotAligned),
        // the identifier's
        ("good.example", "deaf.good.example", "", Reason::Unanswered),
        ("good.example", "evil.net", "", Reason::NotAligned),
        // SPF or DKIM undecided
        ("good.example", "evil.net", "good.example", Reason::Undecided),
        ("good.example", "evil.net", "a.good.example", Reason::Undecided),
        ("good.example", "evil.net", "evil.example", Reason::NotAligned),
        ("good.example", "evil.net", "evil.net", Reason::NotAligned),
        ("good.example", "good.example", "good.example", Reason::Aligned),
    ] {
        let undecided = if undecided.is_empty() { vec![] } else { vec![domain(undecided)] };
        let (result, _) = run(from, Identifiers { undecided, ..identifiers("", &[dkim]) }, &Zone(ZONE));
        assert_eq!(result.reason, wanted, "{from} {dkim}");
        assert!(result.outcome != Outcome::TempError || result.disposition() == Policy::None);
    }
    let unasked = Dmarc::new(&domain("good.example")).finish();
    assert_eq!((unasked.outcome, unasked.reason), (Outcome::TempError, Reason::Unanswered));
}
