//! History (zi2.md §9; security.md H1, H6, H8): rows of keys, their bounds, and how operators see and move them.

use zi2_mail::Timestamp;
use zi2_store::{Imported, Page, RowFault, Settings, StoreError, export, import, limits};
use zi2_trust::{KeyHistory, limits::KEYS_PER_DOMAIN};

use crate::given::*;

#[test]
fn certifications_are_counted_by_domain_and_key() {
    on_both(small(), |store| {
        for (name, number, day) in [("a.example", 1, 0), ("a.example", 1, 0), ("a.example", 2, 3), ("b.example", 1, 1)]
        {
            see(store, vec![seen(name, number, at(TODAY + day))]);
        }
        assert_eq!(
            past(store, "a.example"),
            [row("a.example", 2, 1, 1, TODAY + 3, TODAY + 3), row("a.example", 1, 2, 1, TODAY, TODAY)]
        );
        let asked = [domain("b.example"), domain("c.example"), domain("a.example"), domain("b.example")];
        let found: Vec<usize> = store.past(&asked).unwrap().iter().map(Vec::len).collect();
        assert_eq!(found, [1, 0, 2, 1]);
        assert_eq!(store.past(&[]).unwrap(), Vec::<Vec<KeyHistory>>::new());
    });
}

#[test]
fn rotation_inherits_from_the_store() {
    on_both(small(), |store| {
        store.import(&[trusted("a.example", 1, TODAY)]).unwrap();
        let mut heir = seen("a.example", 2, at(TODAY + 1));
        heir.siblings = vec![key(1)];
        see(store, vec![heir]);
        assert_eq!(past(store, "a.example")[0].valid, 10);
    });
}

#[test]
fn domains_keep_twenty_keys_and_trusted_ones_longest() {
    on_both(small(), |store| {
        store.import(&[trusted("a.example", 99, TODAY - 60)]).unwrap();
        let evicted: u64 = (0..30)
            .map(|number| {
                see(store, vec![seen("a.example", number, at(TODAY).add_secs(u64::from(number)))]).rows_evicted
            })
            .sum();
        let keys: Vec<_> = past(store, "a.example").iter().map(|row| row.key).collect();
        assert_eq!((evicted, keys.len()), (11, KEYS_PER_DOMAIN));
        let newest = (11..30).rev().map(key);
        assert_eq!(keys, newest.chain([key(99)]).collect::<Vec<_>>());
    });
}

#[test]
fn full_stores_take_no_strangers_and_say_so() {
    on_both(Settings { history_rows: 4, ..small() }, |store| {
        let refused: Vec<u64> = (0..7)
            .map(|number| see(store, vec![seen(&format!("d{number}.example"), 1, at(TODAY))]).rows_refused)
            .collect();
        assert_eq!(refused, [0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(see(store, vec![seen("d0.example", 1, at(TODAY))]).rows_refused, 0, "known keys go on counting");
        assert_eq!(store.import(&[trusted("t.example", 1, TODAY)]).unwrap().refused, 1);
        store.tidy(at(TODAY), DAY).unwrap();
        assert_eq!(store.import(&[trusted("t.example", 1, TODAY)]).unwrap().added, 1);
    });
}

#[test]
fn tidying_evicts_the_least_and_never_the_trusted() {
    on_both(Settings { history_rows: 8, ..small() }, |store| {
        let now = at(TODAY);
        store.tidy(now, DAY).unwrap();
        let leaving = [trusted("idle.example", 1, TODAY - 181), row("once.example", 1, 4, 1, TODAY - 9, TODAY - 9)];
        let staying =
            [row("once.example", 2, 1, 1, TODAY - 8, TODAY - 8), row("twice.example", 1, 2, 2, TODAY - 20, TODAY - 19)];
        store.import(&[&leaving[..], &staying[..]].concat()).unwrap();
        let trusted: Vec<_> = (0..6).map(|number| trusted("t.example", number, TODAY - u32::from(number))).collect();
        store.import(&trusted).unwrap();
        let tidied = store.tidy(now, DAY).unwrap();
        assert_eq!((tidied.rows_evicted, tidied.rows), (2, 8));
        assert_eq!((past(store, "idle.example").len(), past(store, "t.example").len()), (0, 6));
        assert_eq!(store.list(&Page::default()).unwrap().iter().filter(|row| staying.contains(row)).count(), 2);
    });
}

#[test]
fn clocks_that_jump_do_not_evict_the_trusted() {
    on_both(Settings { history_rows: 8, ..small() }, |store| {
        store.tidy(at(TODAY), DAY).unwrap();
        let rows: Vec<_> = (0..10).map(|number| trusted(&format!("t{number}.example"), 1, TODAY)).collect();
        store.import(&rows).unwrap();
        let tidied = store.tidy(at(TODAY + 400), DAY).unwrap();
        assert_eq!((tidied.rows_evicted, tidied.rows), (0, 10));
    });
}

#[test]
fn listings_come_in_pages() {
    on_both(small(), |store| {
        let names = ["a.example", "aa.example", "b.example", "xn--bcher-kva.example"];
        let mut all: Vec<KeyHistory> =
            names.iter().flat_map(|name| [3, 1, 2].map(|number| row(name, number, 1, 1, TODAY, TODAY))).collect();
        store.import(&all).unwrap();
        all.sort_by(|a, b| (&a.domain, a.key).cmp(&(&b.domain, b.key)));
        let (mut found, mut page) = (Vec::new(), Page { rows: Some(5), ..Page::default() });
        loop {
            let rows = store.list(&page).unwrap();
            let Some(last) = rows.last() else { break };
            page.after = Some((last.domain.clone(), last.key));
            assert!(rows.len() <= 5);
            found.extend(rows);
        }
        assert_eq!(found, all);
        let of_one = Page { domain: Some(domain("aa.example")), ..Page::default() };
        assert_eq!(store.list(&of_one).unwrap(), all[3..6]);
        let rest = Page { after: Some((domain("aa.example"), key(2))), ..of_one };
        assert_eq!(store.list(&rest).unwrap(), all[5..6]);
        assert_eq!(store.list(&Page { rows: Some(0), ..Page::default() }).unwrap(), []);
    });
}

#[test]
fn pages_have_a_size() {
    let full = limits::PAGE_ROWS;
    on_both(Settings { history_rows: 2000, ..small() }, |store| {
        let rows: Vec<_> = (0..=full).map(|number| row(&format!("d{number}.example"), 1, 1, 1, TODAY, TODAY)).collect();
        store.import(&rows).unwrap();
        for (rows, found) in [(None, full), (Some(full - 1), full - 1), (Some(full), full), (Some(full + 1), full)] {
            assert_eq!(store.list(&Page { rows, ..Page::default() }).unwrap().len(), found, "{rows:?}");
        }
        let mut file = Vec::new();
        assert_eq!(export(store, &mut file).unwrap(), full as u64 + 1);
        let less_one = file.len() - 1 - file[..file.len() - 1].iter().rev().position(|octet| *octet == b'\n').unwrap();
        for (file, rows) in [(&file[..less_one], full), (&file[..], full + 1)] {
            let done = import(store, &mut &*file, at(TODAY)).unwrap();
            assert_eq!(done, Imported { merged: rows as u64, ..Imported::default() });
        }
    });
}

#[test]
fn forgetting_is_of_whole_domains() {
    on_both(small(), |store| {
        for name in ["a.example", "b.a.example", "c.example"] {
            store.import(&[row(name, 1, 1, 1, TODAY, TODAY), row(name, 2, 1, 1, TODAY, TODAY)]).unwrap();
        }
        assert_eq!(store.forget(&[domain("a.example"), domain("none.example"), domain("a.example")]).unwrap(), 2);
        assert_eq!((past(store, "a.example").len(), past(store, "b.a.example").len()), (0, 2));
        assert_eq!(store.tidy(at(TODAY), DAY).unwrap().rows, 4);
    });
}

#[test]
fn imports_merge_and_take_all_or_nothing() {
    on_both(small(), |store| {
        let ours = row("a.example", 1, 9, 3, TODAY, TODAY + 5);
        let theirs = row("a.example", 1, 4, 4, TODAY - 9, TODAY + 2);
        for done in
            [Imported { added: 1, merged: 1, ..Imported::default() }, Imported { merged: 2, ..Imported::default() }]
        {
            assert_eq!(store.import(&[ours.clone(), theirs.clone()]).unwrap(), done);
        }
        let merged = row("a.example", 1, 9, 4, TODAY - 9, TODAY + 5);
        assert_eq!(past(store, "a.example"), [merged]);
        let bad = row("b.example", 1, 1, 2, TODAY, TODAY);
        let refused = store.import(&[row("b.example", 2, 1, 1, TODAY, TODAY), bad]);
        assert_eq!(refused, Err(StoreError::Refused { domain: domain("b.example"), fault: RowFault::Days }));
        assert_eq!(past(store, "b.example"), []);
    });
}

#[test]
fn history_moves_from_store_to_store() {
    on_both(small(), |store| {
        let rows: Vec<_> = (0..5).map(|number| trusted(&format!("t{number}.example"), number, TODAY)).collect();
        store.import(&rows).unwrap();
        let mut file = Vec::new();
        assert_eq!(export(store, &mut file).unwrap(), 5);
        on_both(small(), |other| {
            let done = import(other, &mut file.as_slice(), at(TODAY)).unwrap();
            assert_eq!((done.added, other.list(&Page::default()).unwrap()), (5, rows.clone()));
        });
        assert!(import(store, &mut file.as_slice(), Timestamp::from_secs(0)).is_err());
    });
}
