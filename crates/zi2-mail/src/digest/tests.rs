use super::*;
use crate::limits;

#[test]
fn every_lane_of_some_bodies() {
    let rows = [
        ("", "", "\r\n", "", true),
        ("\r\n", "\r\n", "\r\n", "", true),
        ("\r\n\r\n", "\r\n\r\n", "\r\n", "", true),
        ("\r", "\r", "\r\r\n", "\r\r\n", false),
        ("a  b\r\n", "a  b\r\n", "a  b\r\n", "a b\r\n", false),
        ("a \r\n\r\n", "a \r\n\r\n", "a \r\n", "a\r\n", false),
        ("a", "a", "a\r\n", "a\r\n", false),
    ];
    for (body, raw, simple, relaxed, only_crlf) in rows {
        let forms = [(BodyCanon::Raw, raw), (BodyCanon::Simple, simple), (BodyCanon::Relaxed, relaxed)];
        let mut plan = DigestPlan::new();
        for (canon, alg) in forms.iter().flat_map(|(canon, _)| HashAlg::ALL.map(|alg| (*canon, alg))) {
            assert_eq!(plan.request(canon, alg), plan.request(canon, alg));
        }
        let mut digester = plan.start();
        digester.feed(body.as_bytes());
        let digests = digester.finish();
        assert_eq!((digests.octets(), digests.only_crlf()), (body.len() as u64, only_crlf), "{body:?}");
        for (canon, form) in forms {
            for alg in HashAlg::ALL {
                let mut expected = alg.context();
                expected.update(form.as_bytes());
                assert_eq!(digests.get(Lane::of(canon, alg)), expected.finish().as_ref(), "{canon:?} {alg:?} {body:?}");
            }
        }
    }
}

#[test]
fn the_first_octets_of_every_form() {
    let rows = [
        ("", "", "\r\n", ""),
        ("\r\n\r\n", "\r\n\r\n", "\r\n", ""),
        ("a  b \r\n\r\nc\r\n\r\n", "a  b \r\n\r\nc\r\n\r\n", "a  b \r\n\r\nc\r\n", "a b\r\n\r\nc\r\n"),
    ];
    for (body, raw, simple, relaxed) in rows {
        let forms = [(BodyCanon::Raw, raw), (BodyCanon::Simple, simple), (BodyCanon::Relaxed, relaxed)];
        for (canon, form) in forms {
            for (octets, cut) in (0..=form.len() + 2).flat_map(|octets| (0..=body.len()).map(move |cut| (octets, cut)))
            {
                let mut plan = DigestPlan::new();
                let lane = plan.request_first(canon, HashAlg::Sha256, octets as u64);
                assert_eq!(plan.request_first(canon, HashAlg::Sha256, octets as u64), lane);
                let whole = plan.request(canon, HashAlg::Sha256);
                let mut digester = plan.start();
                let (one, two) = body.as_bytes().split_at(cut);
                [one, two].into_iter().for_each(|piece| digester.feed(piece));
                let digests = digester.finish();
                let digest_of = |octets: &[u8]| digest::digest(&digest::SHA256, octets);
                let first = &form.as_bytes()[..octets.min(form.len())];
                assert_eq!(digests.get(lane), digest_of(first).as_ref(), "{canon:?} {body:?} {octets}");
                assert_eq!(digests.get(whole), digest_of(form.as_bytes()).as_ref());
                assert_eq!(digests.canonical_octets(lane), Some(form.len() as u64));
                assert_eq!(digests.canonical_octets(whole), None);
            }
        }
    }
}

#[test]
fn counted_digests_are_limited() {
    let mut plan = DigestPlan::new();
    let limit = limits::COUNTED_DIGESTS as u64;
    let lanes: Vec<_> =
        (0..=limit).map(|octets| plan.request_first(BodyCanon::Simple, HashAlg::Sha256, octets)).collect();
    let digests = plan.start().finish();
    let digested = lanes.iter().filter(|lane| digests.get(**lane).len() == 32).count();
    assert_eq!((digested, digests.get(lanes[limits::COUNTED_DIGESTS])), (limits::COUNTED_DIGESTS, b"".as_slice()));
}

#[test]
fn a_lane_alone_is_the_same() {
    let canons = [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed];
    let digests_of = |canons: &[BodyCanon], body: &str| {
        let mut plan = DigestPlan::new();
        for canon in canons {
            plan.request(*canon, HashAlg::Sha256);
        }
        let mut digester = plan.start();
        digester.feed(body.as_bytes());
        digester.finish()
    };
    for (body, canon) in
        ["", "\r\n", "a", "a\r\n", "a \r\n\r\n"].into_iter().flat_map(|body| canons.map(|canon| (body, canon)))
    {
        let lane = Lane::of(canon, HashAlg::Sha256);
        let alone = digests_of(&[canon], body);
        assert_eq!(alone.get(lane), digests_of(&canons, body).get(lane), "{canon:?} {body:?}");
        assert_eq!(alone.get(Lane::of(canon, HashAlg::Sha512)), b"");
    }
}
