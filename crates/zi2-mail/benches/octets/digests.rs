//! The lanes of the digest pass against the hash alone.

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Message, SmtpScan};

use crate::common::corpus;
use crate::common::options::Effort;
use crate::common::race::{Race, Times};
use crate::common::report::{Cell, Table, size};

const SIZES: [usize; 3] = [10 << 10, 100 << 10, 10 << 20];
const TURN_OCTETS: usize = 1 << 20;
const SECONDS: f64 = 2.0;

/// Canonical forms made in one pass, and how many hashes that takes at least: raw and simple share one.
const LANES: [(&str, &[BodyCanon], f64); 5] = [
    ("raw", &[BodyCanon::Raw], 1.0),
    ("simple", &[BodyCanon::Simple], 1.0),
    ("raw, simple", &[BodyCanon::Raw, BodyCanon::Simple], 1.0),
    ("relaxed", &[BodyCanon::Relaxed], 1.0),
    ("raw, simple, relaxed", &[BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed], 2.0),
];

const HASH: &str = "SHA-256 alone";
const SCAN: &str = "SmtpScan";

pub(crate) fn table(effort: Effort) -> Table {
    let columns = ["body", "lanes", "us", "ns/octet", "hashes", "ratio to the hashes"];
    let mut table = Table::new("body digests (SHA-256)", &columns);
    for octets in SIZES.into_iter().filter(|octets| effort == Effort::Full || *octets <= 10 << 10) {
        let times = measure(octets, effort);
        let mut row = |name: &'static str, hashes: f64| {
            let ratio = if hashes > 0.0 { Cell::Ratio(times.ratio(name, HASH) / hashes) } else { Cell::Empty };
            let [micros, each] = [1e3, octets as f64].map(|unit| times.of(name) / unit);
            let (micros, each) = (Cell::Number(micros), Cell::Ratio(each));
            table.row([size(octets), Cell::Text(name.to_owned()), micros, each, Cell::Number(hashes), ratio]);
        };
        row(HASH, 1.0);
        LANES.iter().for_each(|(name, _, hashes)| row(name, *hashes));
        row(SCAN, 0.0);
    }
    table
}

fn measure(octets: usize, effort: Effort) -> Times {
    let count = (TURN_OCTETS / octets).max(2);
    let mails: Vec<Vec<u8>> = (0..count).map(|number| corpus::message(number as u64, octets)).collect();
    let bodies: Vec<&[u8]> = mails.iter().map(|mail| Message::split(mail).body).collect();
    let mut race = Race::new(count);
    race.enter(HASH, |n| {
        black_box(digest(&SHA256, black_box(bodies[n])));
    });
    for (name, canons, _) in LANES {
        let bodies = &bodies;
        race.enter(name, move |n| digest_lanes(canons, bodies[n]));
    }
    race.enter(SCAN, |n| scan(bodies[n]));
    race.run(effort, SECONDS)
}

fn digest_lanes(canons: &[BodyCanon], body: &[u8]) {
    let mut plan = DigestPlan::new();
    for canon in canons {
        plan.request(*canon, HashAlg::Sha256);
    }
    let mut digester = plan.start();
    digester.feed(black_box(body));
    black_box(digester.finish());
}

fn scan(body: &[u8]) {
    let mut scan = SmtpScan::new();
    scan.feed(black_box(body));
    assert!(black_box(scan.finish()).is_ok(), "the corpus is fit for SMTP");
}
