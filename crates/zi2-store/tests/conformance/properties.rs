//! Both backends against the model, through long random lives.

use proptest::prelude::*;
use zi2_mail::Timestamp;
use zi2_store::{Batch, Issued, Page, Settings, Store};
use zi2_trust::{HistoryPolicy, KeyHistory};

use crate::given::*;
use crate::model::Model;

#[derive(Clone, Debug)]
enum Deed {
    Issue(u64, u32),
    Admit(u64, u32, Vec<u64>, u32),
    /// Domain, key, time, key published beside it.
    See(u8, u8, u64, Option<u8>),
    Import(u8, u8, u64, u32, u32, u32),
    Forget(u8),
    /// Seconds from [`TODAY`], window.
    Tidy(i64, u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let (name, number) = (0_u8..3, 0_u8..26);
    let hours = (0_u64..300 * 24).prop_map(|hours| hours * HOUR);
    prop_oneof![
        4 => (0_u64..7, TODAY..TODAY + 4).prop_map(|(id, day)| Deed::Issue(id, day)),
        8 => (0_u64..7, TODAY..TODAY + 4, prop::collection::vec(0_u64..5, 0..4), 0_u32..4)
            .prop_map(|(id, day, recipients, allowance)| Deed::Admit(id, day, sorted(recipients), allowance)),
        20 => (name.clone(), number.clone(), hours, prop::option::of(number.clone()))
            .prop_map(|(name, number, at, sibling)| Deed::See(name, number, at, sibling)),
        8 => (name.clone(), number, 1_u64..9, 0_u32..9, 0_u32..250, 0_u32..40)
            .prop_map(|(name, number, valid, days, first, span)| Deed::Import(name, number, valid, days, first, span)),
        1 => name.prop_map(Deed::Forget),
        3 => (-3_i64..300, 0_u64..3).prop_map(|(quarters, days)| Deed::Tidy(quarters * 6 * 3600, days * DAY)),
    ]
}

fn sorted(mut recipients: Vec<u64>) -> Vec<u64> {
    recipients.sort_unstable();
    recipients.dedup();
    recipients
}

fn name(number: u8) -> String {
    format!("d{number}.example")
}

fn imported(deed: (u8, u8, u64, u32, u32, u32)) -> KeyHistory {
    let (of, number, valid, days, first, span) = deed;
    let days = days.clamp(1, span + 1).min(u32::try_from(valid).unwrap());
    row(&name(of), number, valid, days, TODAY + first, TODAY + first + span)
}

/// Does it to the store and to the model, and compares the answers.
fn check(store: &dyn Store, model: &mut Model, deed: &Deed) {
    match deed.clone() {
        Deed::Issue(number, day) => {
            let batch = Batch { issued: vec![Issued { id: id(number), day }], ..Batch::default() };
            let refused = u64::from(model.issue(day, id(number)));
            assert_eq!(store.remember(&batch).unwrap().issued_refused, refused, "{deed:?}");
        }
        Deed::Admit(number, day, recipients, allowance) => {
            let mut admission = admission(number, day, &recipients);
            admission.allowance = allowance;
            assert_eq!(admit(store, admission.clone()), model.admit(&admission), "{deed:?}");
        }
        Deed::See(of, number, after, sibling) => {
            let mut seen = seen(&name(of), number, at(TODAY).add_secs(after));
            seen.siblings = sibling.map(key).into_iter().collect();
            let refused = u64::from(model.see(&seen));
            assert_eq!(see(store, vec![seen]).rows_refused, refused, "{deed:?}");
        }
        Deed::Import(of, number, valid, days, first, span) => {
            let row = imported((of, number, valid, days, first, span));
            assert_eq!(store.import(std::slice::from_ref(&row)).unwrap(), model.import(&row), "{deed:?}");
        }
        Deed::Forget(of) => {
            let gone = domain(&name(of));
            assert_eq!(store.forget(std::slice::from_ref(&gone)).unwrap(), model.forget(&gone));
        }
        Deed::Tidy(secs, window) => {
            let now = Timestamp::from_secs(at(TODAY).secs().strict_add_signed(secs));
            let tidied = store.tidy(now, window).unwrap();
            assert_eq!((tidied.days_forgotten, tidied.rows_evicted), model.tidy(now, window), "{deed:?}");
            assert_eq!((tidied.nonces, tidied.rows), (model.arrived.len() as u64, model.rows.len() as u64));
        }
    }
}

fn compare(store: &dyn Store, model: &Model) {
    for of in 0..3 {
        assert_eq!(past(store, &name(of)), model.past(&domain(&name(of))));
    }
    let mut rows = model.rows.clone();
    rows.sort_by(|a, b| (&a.domain, a.key).cmp(&(&b.domain, b.key)));
    assert_eq!(store.list(&Page::default()).unwrap(), rows);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_life_is_the_models(deeds in prop::collection::vec(deed(), 1..250)) {
        // A week of TRUSTED in five deeds would never happen by chance.
        let policy = HistoryPolicy { trusted: 2, min_days: 2, min_span: DAY, ..HistoryPolicy::default() };
        on_both(Settings { policy, nonces_per_day: 5, history_rows: 24 }, |store| {
            let mut model = Model::new(Settings { policy, nonces_per_day: 5, history_rows: 24 });
            for deed in &deeds {
                check(store, &mut model, deed);
            }
            compare(store, &model);
        });
    }
}
