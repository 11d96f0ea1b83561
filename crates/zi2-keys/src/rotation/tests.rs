use std::time::Duration;

use zi2_mail::Domain;
use zi2_sig::{KeyRecord, PublicKey, RecordKey, Trouble};

use super::super::{RecordPlace, Step};
use super::*;
use crate::dns::ServerAnswer;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// 28 April 2026, 18:13:20.
const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);
const GONE: u64 = 6 * DAY + HOUR;

fn kid(month: u8) -> Kid {
    Kid::of_month(2026, month).unwrap()
}

fn key() -> PublicKey {
    PublicKey::from_octets([7; 32])
}

fn survey_of(place: RecordPlace, answers: &[(&str, Result<&str, Trouble>)], ttl: u64) -> Survey {
    let answer = |(server, text): &(&str, Result<&str, Trouble>)| ServerAnswer {
        server: (*server).to_owned(),
        records: text.map(|text| vec![text.as_bytes().to_vec()]),
        ttl: Duration::from_secs(ttl),
    };
    let mut survey = Survey::default();
    let answers: Vec<_> = answers.iter().map(answer).collect();
    survey.add((&Domain::parse("example.com").unwrap(), place), (kid(5), key()), &answers);
    survey
}

fn record(kid: Option<Kid>, key: RecordKey) -> String {
    KeyRecord { key, kid, sid: None }.to_txt()
}

fn everywhere(ttl: u64) -> Survey {
    survey_of(RecordPlace::Draft, &[("ns1", Ok(&record(Some(kid(5)), RecordKey::Live(key()))))], ttl)
}

fn nowhere() -> Survey {
    survey_of(RecordPlace::Draft, &[("ns1", Ok("v=spf1 -all"))], 60)
}

/// April signs, and May is at a stage.
fn with_may(stage: Stage) -> Rotation {
    let mut rotation = Rotation::begin(&[kid(4)], Some(kid(4)), NOW);
    rotation.entries.push(Entry { kid: kid(5), stage, since: NOW, settling: None });
    rotation
}

fn stages(rotation: &Rotation) -> Vec<(u8, Stage)> {
    rotation.entries().iter().map(|entry| (entry.kid.month().1, entry.stage)).collect()
}

#[test]
fn a_beginning_keeps_what_signs() {
    use Stage::{Active, Retiring};
    for (active, expected) in [
        (Some(4), vec![(3, Retiring), (4, Active)]),
        (Some(5), vec![(3, Retiring), (4, Retiring), (5, Active)]),
        (None, vec![]),
    ] {
        let rotation = Rotation::begin(&[kid(3), kid(4), kid(5)], active.map(kid), NOW);
        assert_eq!(stages(&rotation), expected, "{active:?}");
    }
}

#[test]
fn every_step_from_every_stage() {
    use Stage::{Active, Next, Proven, Published, Retired, Retiring, Revoked};
    let later = NOW.add_secs(GONE);
    type Do = fn(&mut Rotation, Timestamp) -> Result<(), Refusal>;
    let steps: [(&str, Stage, Stage, Do); 4] = [
        ("publish", Next, Published, |r, at| r.publish(kid(5), at)),
        ("prove", Published, Published, |r, at| r.prove(kid(5), &everywhere(60), at).map(|_| ())),
        ("activate", Proven, Active, |r, at| r.activate(kid(5), &everywhere(60), at)),
        ("retire", Retiring, Retired, |r, at| r.retire(kid(5), Queue::Empty, at)),
    ];
    for (name, from, to, act) in steps {
        for stage in Stage::ALL {
            let mut rotation = with_may(stage);
            let before = rotation.clone();
            let done = act(&mut rotation, later);
            if stage == from {
                assert_eq!(done, Ok(()), "{name} of {stage:?}");
                assert_eq!(rotation.get(kid(5)).unwrap().stage, to, "{name} of {stage:?}");
            } else {
                assert_eq!(done, Err(Refusal::Stage { kid: kid(5), is: stage, wanted: from }), "{name} of {stage:?}");
                assert_eq!(rotation, before, "{name} of {stage:?}");
            }
        }
    }
    for stage in Stage::ALL {
        let mut rotation = with_may(stage);
        assert_eq!(rotation.revoke(kid(5), later), Ok(None), "{stage:?}");
        assert_eq!(rotation.get(kid(5)).unwrap().stage, Revoked);
        assert_eq!(rotation.active(), Some(kid(4)), "{stage:?}");
        assert_eq!(with_may(stage).revoke(kid(9), later), Err(Refusal::Unknown(kid(9))));
    }
}

#[test]
fn one_key_follows_another() {
    for (stage, refusal) in [
        (Stage::Next, Some(Refusal::Busy(kid(5)))),
        (Stage::Published, Some(Refusal::Busy(kid(5)))),
        (Stage::Proven, Some(Refusal::Busy(kid(5)))),
        (Stage::Retired, None),
        (Stage::Revoked, None),
    ] {
        assert_eq!(with_may(stage).stage(kid(6), NOW).err(), refusal, "{stage:?}");
    }
    assert_eq!(with_may(Stage::Revoked).stage(kid(5), NOW), Err(Refusal::Known(kid(5))));
}

#[test]
fn the_state_does_not_grow_for_ever() {
    let full = |stage| {
        let kids = (2000..2006).flat_map(|year| (1..=12).map(move |month| Kid::of_month(year, month).unwrap()));
        let entry = |kid| Entry { kid, stage, since: NOW, settling: None };
        Rotation { entries: kids.take(KEYS).map(entry).collect() }
    };
    let mut rotation = full(Stage::Retired);
    rotation.stage(kid(4), NOW).unwrap();
    assert_eq!(rotation.entries().len(), KEYS);
    assert_eq!(rotation.get(Kid::of_month(2000, 1).unwrap()), None, "the oldest goes");
    assert_eq!(full(Stage::Revoked).stage(kid(4), NOW), Err(Refusal::Full));
}

#[test]
fn a_proof_takes_every_server_and_the_longest_ttl() {
    let at = |secs| NOW.add_secs(secs);
    let mut rotation = with_may(Stage::Published);
    assert!(matches!(rotation.prove(kid(5), &nowhere(), at(0)), Ok(Proof::Missing(gaps)) if gaps.len() == 1));
    assert_eq!(
        rotation.prove(kid(5), &everywhere(60), at(10)),
        Ok(Proof::Settling(at(10 + 3 * HOUR))),
        "the shortest wait"
    );
    assert_eq!(rotation.prove(kid(5), &everywhere(4 * HOUR), at(20)), Ok(Proof::Settling(at(10 + 4 * HOUR))));
    assert_eq!(rotation.prove(kid(5), &everywhere(60), at(4 * HOUR)), Ok(Proof::Settling(at(10 + 4 * HOUR))));
    assert!(matches!(rotation.prove(kid(5), &nowhere(), at(5 * HOUR)), Ok(Proof::Missing(_))), "gone again");
    assert_eq!(rotation.prove(kid(5), &everywhere(60), at(6 * HOUR)), Ok(Proof::Settling(at(9 * HOUR))), "anew");
    assert_eq!(rotation.prove(kid(5), &everywhere(60), at(9 * HOUR)), Ok(Proof::Proven));
}

#[test]
fn what_a_server_must_say() {
    use RecordPlace::{Draft, Page};
    let ours = record(Some(kid(5)), RecordKey::Live(key()));
    let short = record(None, RecordKey::Live(key()));
    let other = record(Some(kid(5)), RecordKey::Live(PublicKey::from_octets([8; 32])));
    let old = record(Some(kid(4)), RecordKey::Live(key()));
    let revoked = record(Some(kid(5)), RecordKey::Revoked);
    let silent = Err(Trouble::Timeout);
    for (place, answers, is_proof) in [
        (Draft, vec![("ns1", Ok(ours.as_str())), ("ns2", Ok(&ours))], true),
        (Draft, vec![("ns1", Ok(&ours)), ("ns2", Ok(&other))], false),
        (Draft, vec![("ns1", Ok(&ours)), ("ns2", silent)], false),
        (Draft, vec![("ns1", Ok(&ours)), ("ns1", silent)], true),
        (Draft, vec![("ns1", silent), ("ns1", Ok(&ours))], true),
        (Draft, vec![("ns1", Ok(&ours)), ("ns1", Ok(&other))], false),
        (Draft, vec![("ns1", Ok(&short))], false),
        (Page, vec![("ns1", Ok(&short))], true),
        (Page, vec![("ns1", Ok(&old))], false),
        (Draft, vec![("ns1", Ok(&revoked))], false),
        (Draft, vec![], false),
    ] {
        assert_eq!(survey_of(place, &answers, 60).gaps().is_empty(), is_proof, "{place:?} {answers:?}");
    }
    assert!(!Survey::default().gaps().is_empty(), "nothing was asked");
}

#[test]
fn exactly_one_key_signs_before_and_after() {
    let mut rotation = with_may(Stage::Proven);
    let lost = rotation.activate(kid(5), &nowhere(), NOW);
    assert!(matches!(lost, Err(Refusal::Lost { .. })), "{lost:?}");
    assert_eq!(stages(&rotation), [(4, Stage::Active), (5, Stage::Published)]);
    let mut rotation = with_may(Stage::Proven);
    rotation.activate(kid(5), &everywhere(60), NOW).unwrap();
    assert_eq!(stages(&rotation), [(4, Stage::Retiring), (5, Stage::Active)]);
}

#[test]
fn a_revoked_key_hands_over_to_the_proven_one_only() {
    for (stage, successor) in [(Stage::Proven, Some(kid(5))), (Stage::Published, None), (Stage::Next, None)] {
        let mut rotation = with_may(stage);
        assert_eq!(rotation.revoke(kid(4), NOW), Ok(successor), "{stage:?}");
        assert_eq!(rotation.active(), successor, "{stage:?}");
    }
}

#[test]
fn the_old_key_stays_while_mail_may_need_it() {
    let at = |secs| NOW.add_secs(secs);
    for (secs, queue, is_done) in [
        (GONE - 1, Queue::Empty, false),
        (GONE, Queue::Empty, true),
        (GONE, Queue::NotAsked, true),
        (GONE, Queue::Oldest(at(HOUR)), false),
        (GONE, Queue::Oldest(at(HOUR + 1)), true),
        (90 * DAY, Queue::Oldest(at(0)), false),
    ] {
        let mut rotation = with_may(Stage::Retiring);
        assert_eq!(rotation.retire(kid(5), queue, at(secs)).is_ok(), is_done, "{secs} {queue:?}");
    }
}

#[test]
fn the_calendar() {
    let first_of_may = Timestamp::of_month(2026, 5).unwrap();
    let task = |rotation: &Rotation| rotation.plan(NOW).first().map(|task| (task.step, task.kid, task.at));
    let april = Rotation::begin(&[kid(4)], Some(kid(4)), NOW);
    assert_eq!(task(&april), Some((Step::Stage, kid(5), first_of_may.sub_secs(7 * DAY))));
    for (stage, step, at) in [
        (Stage::Next, Step::Publish, NOW),
        (Stage::Published, Step::Prove, NOW),
        (Stage::Proven, Step::Activate, first_of_may),
    ] {
        assert_eq!(task(&with_may(stage)), Some((step, kid(5), at)), "{stage:?}");
    }
    let mut alone = with_may(Stage::Proven);
    alone.entries.retain(|entry| entry.kid == kid(5));
    assert_eq!(task(&alone), Some((Step::Activate, kid(5), NOW)), "nothing signs: no reason to wait");
    let none = Rotation::begin(&[], None, NOW);
    assert_eq!(task(&none), Some((Step::Stage, kid(4), NOW)));
    let late = Rotation::begin(&[kid(1)], Some(kid(1)), NOW);
    assert_eq!(task(&late).map(|(_, kid, _)| kid), Some(kid(4)), "this month's, not February's");
    let december = Rotation::begin(&[kid(12)], Some(kid(12)), NOW);
    assert_eq!(december.successor(NOW), Kid::of_month(2027, 1).ok());
    let retire = with_may(Stage::Retiring).plan(NOW).last().copied().unwrap();
    assert_eq!((retire.step, retire.kid, retire.at), (Step::Retire, kid(5), NOW.add_secs(GONE)));
}

/// Any step at any time, many times over: at most one key signs, none vanishes but by a revocation, and a text holds it all.
#[test]
fn no_way_leads_to_two_keys_or_none() {
    let mut seed = 1_u64;
    let mut chance = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let (mut rotation, mut now) = (Rotation::begin(&[kid(4)], Some(kid(4)), NOW), NOW);
        for _ in 0..60 {
            now = now.add_secs(chance(3 * DAY));
            let (at, had) = (kid(u8::try_from(4 + chance(4)).unwrap()), rotation.active());
            let survey = if chance(5) == 0 { nowhere() } else { everywhere(chance(2 * DAY)) };
            let what = chance(12);
            match what {
                0 => drop(rotation.revoke(at, now)),
                1 | 2 => drop(rotation.stage(at, now)),
                3 | 4 => drop(rotation.publish(at, now)),
                5..=7 => drop(rotation.prove(at, &survey, now)),
                8 | 9 => drop(rotation.activate(at, &survey, now)),
                _ => drop(rotation.retire(at, Queue::Oldest(now), now)),
            }
            assert!(rotation.active().is_some() || had.is_none() || what == 0, "{rotation:?}");
            assert_eq!(
                Rotation::parse(&rotation.to_text()).as_ref(),
                Ok(&rotation),
                "one active, one coming, as a reader wants"
            );
            reached.extend(rotation.entries().iter().map(|entry| entry.stage.word()));
        }
    }
    assert_eq!(reached.len(), Stage::ALL.len(), "{reached:?}");
}
