//! DKIM and DKIM2 of zi2-sig beside mail-auth, in turns within one run and on the same messages (`./bench --peers`).
//!
//! Both have the key records at hand, as from a cache, and both use aws-lc. With `--write DIRECTORY` it writes the messages
//! for programs in other languages instead (`dev/peers/speed`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench: it may stop")]

#[path = "../../../crates/zi2-mail/benches/common/mod.rs"]
mod common;
mod dkim2;
#[path = "../../../crates/zi2-sig/benches/dkim/keys.rs"]
mod keys;
#[path = "../../../crates/zi2-sig/benches/dkim/mail.rs"]
mod mail;
mod mail_auth_peer;
#[path = "../../peers/mail-auth/src/world.rs"]
mod world;

use std::fs;
use std::hint::black_box;

use common::corpus::Body;
use common::options::Options;
use common::race::Race;
use common::report::{Cell, Report, Table, size};
use keys::Key;
use mail::Mail;
use mail_auth_peer::Peer;

const SIZES: [usize; 5] = [1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20];

/// Octets of different messages in one turn, and the most of them.
const TURN_OCTETS: usize = 52 << 20;
const MESSAGES: usize = 512;
const SECONDS: f64 = 2.0;

/// Messages for other programs: they are slow enough for a few.
const WRITTEN: u64 = 32;

fn main() {
    let options = Options::read();
    if let Some(directory) = options.text("--write") {
        return write(directory);
    }
    if options.text("--only") == Some("dkim2") {
        return dkim2_only(&options);
    }
    let [mut verify, mut sign] = ["verify", "sign"].map(|name| Table::new(name, &columns(["key", "body", "octets"])));
    for key in Key::all() {
        let peer = Peer::new(&key);
        for (octets, kind) in sizes(&options).flat_map(|octets| Body::ALL.map(|kind| (octets, kind))) {
            let [verified, signed] = measure(&key, &peer, kind, octets, &options);
            verify.row(verified);
            sign.row(signed);
        }
    }
    let mut report = Report::new("DKIM: zi2-sig beside mail-auth 0.15");
    report.note("relaxed/relaxed, 512 different messages up to 100 KiB, keys parsed before.");
    report.table(verify).table(sign).print(&options);
    dkim2_only(&options);
}

fn dkim2_only(options: &Options) {
    let mut report = Report::new("DKIM2: zi2-sig beside mail-auth 0.15");
    report.note("Ed25519, SHA-256, prose, 128 different messages up to 100 KiB, keys parsed before.");
    let [verify, sign] = dkim2::tables(options);
    report.table(verify).table(sign).print(options);
}

/// All, or the one after `--octets`.
fn sizes(options: &Options) -> impl Iterator<Item = usize> {
    let only = options.number("--octets");
    SIZES.into_iter().filter(move |octets| only.is_none_or(|only| only == *octets as u64))
}

fn measure(key: &Key, peer: &Peer, kind: Body, octets: usize, options: &Options) -> [[Cell; 8]; 2] {
    let count = (TURN_OCTETS / octets).clamp(2, MESSAGES);
    let mails: Vec<Mail> = (0..count).map(|number| Mail::new(number as u64, kind, octets, key)).collect();
    let mut race = Race::new(count);
    race.enter("floor of verifying", |n| mails[n].floor_verify(key));
    race.enter("verifying", |n| assert!(mails[n].verify(key), "a good message"));
    race.enter("mail-auth verifying", |n| assert!(peer.verify(&mails[n].signed), "a good message"));
    race.enter("floor of signing", |n| mails[n].floor_sign(key));
    race.enter("signing", |n| drop(black_box(mails[n].sign(key))));
    race.enter("mail-auth signing", |n| drop(black_box(peer.sign(mails[n].unsigned()))));
    let times = race.run(options.effort, SECONDS);
    [["verifying", "floor of verifying", "mail-auth verifying"], ["signing", "floor of signing", "mail-auth signing"]]
        .map(|[ours, floor, theirs]| {
            let micros = |name| Cell::Number(times.of(name) / 1e3);
            let text = |word: &str| Cell::Text(word.to_owned());
            let ratios = [Cell::Ratio(times.ratio(ours, floor)), Cell::Ratio(times.ratio(theirs, ours))];
            let [to_floor, to_ours] = ratios;
            let [floor, ours, theirs] = [floor, ours, theirs].map(micros);
            [text(key.name), text(kind.name()), size(octets), floor, ours, theirs, to_floor, to_ours]
        })
}

fn write(directory: &str) {
    for (key, word) in Key::all().iter().zip(["rsa", "ed25519"]) {
        fs::write(format!("{directory}/{word}.txt"), key.identity.key.record()).unwrap();
        for octets in [1 << 10, 10 << 10, 100 << 10, 1 << 20] {
            let written = if octets > 100 << 10 { 2 } else { WRITTEN };
            for number in 0..written {
                let mail = Mail::new(number, Body::Prose, octets, key);
                fs::write(format!("{directory}/{word}-{octets}-{number}.eml"), mail.signed).unwrap();
            }
        }
    }
}

/// The columns of a table: what is measured, and the figures.
fn columns([first, second, third]: [&'static str; 3]) -> [&'static str; 8] {
    let [floor, ours, theirs] = ["floor, us", "zi2-sig, us", "mail-auth, us"];
    [first, second, third, floor, ours, theirs, "zi2-sig to floor", "mail-auth to zi2-sig"]
}
