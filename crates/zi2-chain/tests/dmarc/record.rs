//! Records and what they say.

use zi2_chain::dmarc::{Alignment, FailureOption, Policy, PolicyTag, Psd, Record, RecordError, ReportUri, Testing};

#[test]
fn versions() {
    let reads = |txt: &[u8]| Record::parse(txt) != Err(RecordError::NotDmarc);
    for good in ["v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p=none", "v\t=DMARC1\t;p=none", " v=DMARC1; p=none"] {
        assert!(reads(good.as_bytes()), "{good}");
    }
    for bad in [
        "",
        "v",
        "v=",
        "p=none; v=DMARC1",
        "v=DMARC1 p=none",
        "v=DMARC10; p=none",
        "v=DMARC2; p=none",
        "v=dmarc1; p=none",
        "V=DMARC1; p=none",
        "v=DMARC1, p=none",
        "v=DMARC1\r\n; p=none",
        "\u{feff}v=DMARC1; p=none",
        "v=\"DMARC1\"; p=none",
    ] {
        assert!(!reads(bad.as_bytes()), "{bad}");
    }
}

#[test]
fn policies() {
    use Policy::{None as Nothing, Quarantine, Reject};
    type Triple = Option<[Policy; 3]>;
    let cases: &[(&str, Triple)] = &[
        ("p=none", Some([Nothing; 3])),
        ("p=reject", Some([Reject; 3])),
        ("p=Quarantine ", Some([Quarantine; 3])),
        ("p = reject;", Some([Reject; 3])),
        ("rua=mailto:a@b.example;p=reject", Some([Reject; 3])),
        ("p=reject; sp=none", Some([Reject, Nothing, Nothing])),
        ("p=reject; sp=none; np=quarantine", Some([Reject, Nothing, Quarantine])),
        ("p=none; np=reject", Some([Nothing, Nothing, Reject])),
        ("p=reject; pct=50; rf=afrf; ri=86400", Some([Reject; 3])),
        ("p=reject; pct=junk; rf=; ri", Some([Reject; 3])),
        ("p=reject; garbage; =x; 1=2; a b=c;; ;x=\u{e4}", Some([Reject; 3])),
        ("p=reject; unknown=1; P=none", Some([Reject; 3])),
        ("p=reject; adkim=x; aspf=; t=maybe; psd=?; fo=9", Some([Reject; 3])),
        ("", None),
        ("p=", None),
        ("p", None),
        ("P=reject", None),
        ("p=reject all", None),
        ("p=reject\0", None),
        ("sp=reject", None),
        ("p=reject; sp=", None),
        ("p=reject; np=x", None),
        ("rua=mailto:d@a.example", Some([Nothing; 3])),
        ("p=x; sp=reject; rua=mailto:d@a.example", Some([Nothing; 3])),
        ("p=reject; sp=x; rua=mailto:d@a.example", Some([Nothing; 3])),
        ("p=x; rua=d@a.example", None),
        ("p=x; ruf=mailto:d@a.example", None),
    ];
    for (tags, wanted) in cases {
        let record = Record::parse(format!("v=DMARC1; {tags}").as_bytes()).unwrap();
        let found =
            [PolicyTag::P, PolicyTag::Sp, PolicyTag::Np].map(|tag| record.policy(tag).map(|(_, policy)| policy));
        assert_eq!(found, wanted.map_or([None; 3], |wanted| wanted.map(Some)), "{tags}");
    }
}

#[test]
fn other_tags() {
    let read = |tags: &str| Record::parse(format!("v=DMARC1; p=none; {tags}").as_bytes()).unwrap();
    let record = read("");
    assert_eq!((record.adkim(), record.aspf()), (Alignment::Relaxed, Alignment::Relaxed));
    assert_eq!((record.psd(), record.testing()), (Psd::Unsaid, Testing::Off));
    assert_eq!(
        (record.failure_options(), record.rua(), record.ruf()),
        (&[FailureOption::NothingPassed][..], &[][..], &[][..])
    );
    let record = read("adkim=s; aspf=S; psd=Y; t=y; fo=1:d:x:1: s; ruf=mailto:f@a.example");
    assert_eq!((record.adkim(), record.aspf()), (Alignment::Strict, Alignment::Strict));
    assert_eq!((record.psd(), record.testing()), (Psd::Suffix, Testing::On));
    assert_eq!(record.failure_options(), [FailureOption::SomethingFailed, FailureOption::Dkim, FailureOption::Spf]);
    assert_eq!(record.ruf()[0].as_str(), "mailto:f@a.example");
    assert_eq!(read("psd=n").psd(), Psd::Organization);
    assert_eq!(read("rua=mailto:a@b.example!10m , junk,https://r.example/x?y").rua().len(), 2);
}

#[test]
fn report_addresses() {
    let read = |text: &str| ReportUri::parse(text.as_bytes()).map(|uri| uri.as_str().to_owned());
    for (text, wanted) in [
        ("mailto:a@b.example", "mailto:a@b.example"),
        (" MAILTO:a@b.example\t", "MAILTO:a@b.example"),
        ("mailto:a@b.example!10m", "mailto:a@b.example"),
        ("mailto:a%2Cb@b.example", "mailto:a%2Cb@b.example"),
        ("https://r.example/x", "https://r.example/x"),
    ] {
        assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
    }
    for bad in [
        "",
        "a@b.example",
        "mailto:",
        "mailto:a",
        "mailto:@b.example",
        "mailto:a@",
        "!10m",
        "1x:y",
        "x y:z",
        "mailto:a b@c.example",
        "mailto:\u{e4}@b.example",
        "mailto:a\r\n@b.example",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
}
