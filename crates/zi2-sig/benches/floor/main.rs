//! What signing and verifying cost above their floor: SHA-256 of the message's octets and the Ed25519 operation, by the same
//! library. A second floor hashes the body only, as zi2.md does: nobody who implements it can do without that.
//!
//!     cargo bench -p zi2-sig [-- --json]
//!
//! A turn includes all a caller pays: the octets are cut into fields, the message is checked, canonicalized, hashed, signed
//! or verified, the field is read or written. Only the key was parsed before, by the signer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench: it may stop")]
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench: it measures time and prints")]

#[path = "../../../zi2-mail/benches/common/mod.rs"]
mod common;
mod growth;
mod inputs;
mod mail;

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use zi2_sig::Form;

use common::options::{Effort, Options};
use common::race::{Race, Times};
use common::report::{Cell, Report, Table, size};
use mail::{Mail, SEED, signing_key};

/// The bar holds from the second size on (at 1 KiB there is next to nothing to hash).
const SIZES: [usize; 4] = [1 << 10, 10 << 10, 100 << 10, 10 << 20];

const FORMS: [Form; 3] = [Form::Combined, Form::Draft, Form::Page];

/// Octets of different messages in one turn: they stay in the second-level cache, as mail does that just came.
const TURN_OCTETS: usize = 1 << 19;

/// Seconds for one size in one form.
const SECONDS: f64 = 3.0;

fn main() {
    let options = Options::read();
    let columns = ["form", "body", "floor, us", "body only, us", "zi2-sig, us", "ratio", "ratio to body only"];
    let [mut verify, mut sign] = ["verify", "sign"].map(|name| Table::new(name, &columns));
    for form in FORMS {
        for octets in sizes(options.effort) {
            let times = measure(form, octets, options.effort);
            verify.row(row(form, octets, &times, "verifying"));
            sign.row(row(form, octets, &times, "signing"));
        }
    }
    let mut report = Report::new("zi2-sig: signing and verifying against the floor");
    report.note(
        "The floor is SHA-256 of the message's octets, or of its body only, and one Ed25519 operation over the octets that are \
         signed; two where the combined form signs, which makes two signatures. Messages have 20 fields in about 2.4 kB.",
    );
    report.table(verify).table(sign).table(growth::table(options.effort)).print(&options);
}

fn sizes(effort: Effort) -> Vec<usize> {
    SIZES.into_iter().filter(|octets| effort == Effort::Full || *octets <= 10 << 10).collect()
}

fn measure(form: Form, octets: usize, effort: Effort) -> Times {
    let count = (TURN_OCTETS / octets).clamp(2, 32);
    let mails: Vec<Mail> = (0..count).map(|number| Mail::new(number as u64, octets, form)).collect();
    let (key, pair) = (signing_key(), Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap());
    let mut race = Race::new(count);
    race.enter("floor of verifying", |n| mails[n].floor_verify(mails[n].signed()));
    race.enter("floor of verifying, body only", |n| mails[n].floor_verify(mails[n].signed_body()));
    race.enter("verifying", |n| assert!(mails[n].verify(key.public()), "a good message"));
    race.enter("floor of signing", |n| mails[n].floor_sign(mails[n].unsigned(), &pair));
    race.enter("floor of signing, body only", |n| mails[n].floor_sign(mails[n].body(), &pair));
    race.enter("signing", |n| drop(black_box(mails[n].sign(&key))));
    race.run(effort, SECONDS)
}

impl Mail {
    fn floor_verify(&self, hashed: &[u8]) {
        black_box(digest(&SHA256, black_box(hashed)));
        let (input, signature) = self.verified();
        let key = signing_key_octets();
        assert!(UnparsedPublicKey::new(&ED25519, key).verify(black_box(input), signature).is_ok(), "a good signature");
    }

    fn floor_sign(&self, hashed: &[u8], pair: &Ed25519KeyPair) {
        black_box(digest(&SHA256, black_box(hashed)));
        for (input, _) in self.inputs() {
            black_box(pair.sign(black_box(input)));
        }
    }
}

/// Known before: a key comes as 32 octets.
fn signing_key_octets() -> &'static [u8; 32] {
    static OCTETS: std::sync::OnceLock<[u8; 32]> = std::sync::OnceLock::new();
    OCTETS.get_or_init(|| *signing_key().public().as_octets())
}

fn row(form: Form, octets: usize, times: &Times, what: &str) -> [Cell; 7] {
    let floors = ["", ", body only"].map(|which| format!("floor of {what}{which}"));
    let [floor, body_only] = &floors;
    let [ratio, ratio_to_body] = [floor, body_only].map(|floor| Cell::Ratio(times.ratio(what, floor)));
    let [floor, body_only, ours] = [floor, body_only, what].map(|name| micros(times, name));
    [text(form), size(octets), floor, body_only, ours, ratio, ratio_to_body]
}

fn text(form: Form) -> Cell {
    Cell::Text(form.as_str().to_owned())
}

fn micros(times: &Times, name: &str) -> Cell {
    Cell::Number(times.of(name) / 1e3)
}
