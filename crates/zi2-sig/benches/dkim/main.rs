//! What DKIM costs above its floor: the hash of the body, that of the signed fields, and the operation with the key, by the
//! same library. And what it costs to verify DKIM and ZI2 of one message together.
//!
//!     cargo bench -p zi2-sig --bench dkim [-- --json]
//!
//! A turn includes all a caller pays but the key record, which was read before, as from a cache.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench: it may stop")]
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench: it measures time and prints")]

#[path = "../../../zi2-mail/benches/common/mod.rs"]
mod common;
mod keys;
mod mail;
mod together;

use common::corpus::Body;
use common::options::{Effort, Options};
use common::race::Race;
use common::report::{Cell, Report, Table, size};
use keys::Key;
use mail::Mail;

/// The bar holds from the second size on.
const SIZES: [usize; 4] = [1 << 10, 10 << 10, 100 << 10, 10 << 20];

/// Different messages in one turn, so that no branch predictor learns one by heart; of the long ones two.
const MESSAGES: usize = 512;

/// Seconds for one row.
const SECONDS: f64 = 2.0;

fn main() {
    let options = Options::read();
    let columns = ["key", "body", "octets", "floor, us", "zi2-sig, us", "ratio"];
    let [mut verify, mut sign] = ["DKIM verify", "DKIM sign"].map(|name| Table::new(name, &columns));
    for key in Key::all() {
        for (kind, octets) in rows(options.effort) {
            let [verified, signed] = measure(&key, kind, octets, options.effort);
            verify.row(verified);
            sign.row(signed);
        }
    }
    let mut report = Report::new("zi2-sig: DKIM against the floor");
    report.note(
        "relaxed/relaxed. The floor is SHA-256 of the body and of the signed fields, and one operation with the parsed key. \
         512 different messages of 19 fields, of 10 MiB two.",
    );
    report.table(verify).table(sign).table(together::table(options.effort)).print(&options);
}

fn rows(effort: Effort) -> impl Iterator<Item = (Body, usize)> {
    let sizes = SIZES.into_iter().filter(move |octets| effort == Effort::Full || *octets <= 1 << 10);
    sizes.flat_map(|octets| Body::ALL.map(|kind| (kind, octets)))
}

/// Fewer for a smoke run.
fn count(octets: usize, effort: Effort) -> usize {
    match (effort, octets) {
        (Effort::Smoke, _) | (_, 0x10_0001..) => 2,
        (Effort::Full, _) => MESSAGES,
    }
}

fn measure(key: &Key, kind: Body, octets: usize, effort: Effort) -> [[Cell; 6]; 2] {
    let count = count(octets, effort);
    let mails: Vec<Mail> = (0..count).map(|number| Mail::new(number as u64, kind, octets, key)).collect();
    let mut race = Race::new(count);
    race.enter("floor of verifying", |n| mails[n].floor_verify(key));
    race.enter("verifying", |n| assert!(mails[n].verify(key), "a good message"));
    race.enter("floor of signing", |n| mails[n].floor_sign(key));
    race.enter("signing", |n| drop(std::hint::black_box(mails[n].sign(key))));
    let times = race.run(effort, SECONDS);
    [("verifying", "floor of verifying"), ("signing", "floor of signing")].map(|(name, floor)| {
        let micros = |name| Cell::Number(times.of(name) / 1e3);
        let words = [key.name, kind.name()].map(|word| Cell::Text(word.to_owned()));
        let [algorithm, body] = words;
        [algorithm, body, size(octets), micros(floor), micros(name), Cell::Ratio(times.ratio(name, floor))]
    })
}
