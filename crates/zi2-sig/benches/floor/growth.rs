//! How the cost of a message grows with its fields, and what the worst field of ours costs that a stranger can write.

use std::hint::black_box;

use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::{FIELD_NAME, Form, Verifier, limits};

use crate::common::corpus;
use crate::common::options::Effort;
use crate::common::race::Race;
use crate::common::report::{Cell, Table};
use crate::mail::{Mail, NOW, signing_key};

/// Fields besides the 20 that each message has.
const FIELDS: [usize; 4] = [0, 80, 480, 970];
const BODY: usize = 10 << 10;
const SECONDS: f64 = 1.0;

/// Sign and verify in the combined form, and verify with an `h=` that names as much as a field of ours can hold.
pub(crate) fn table(effort: Effort) -> Table {
    let columns = ["fields", "verify, us", "sign, us", "longest h=: us before any key is asked for"];
    let mut table = Table::new("growth with the number of fields (combined form, 10 KiB)", &columns);
    let key = signing_key();
    for extra in FIELDS {
        let message = ["X-A: a value of some forty octets, as they are\r\n".repeat(extra).as_bytes(), &base()].concat();
        let mail = Mail::of(message, 0, Form::Combined);
        let worst = longest_list(extra);
        let mut race = Race::new(8);
        race.enter("verifying", |_| assert!(mail.verify(key.public()), "a good message"));
        race.enter("signing", |_| drop(black_box(mail.sign(&key))));
        race.enter("longest list", |_| read(&worst, NOW));
        let times = race.run(effort, SECONDS);
        let micros = ["verifying", "signing", "longest list"].map(|name| Cell::Number(times.of(name) / 1e3));
        table.row([vec![Cell::Count(extra as u64 + 20)], micros.to_vec()].concat());
    }
    table
}

fn base() -> Vec<u8> {
    corpus::message(0, BODY)
}

/// Fields of one name, and an `h=` that asks for as many of it as fit: each is found from the end.
fn longest_list(extra: usize) -> Vec<u8> {
    let names = "from:to:subject:date:message-id".to_owned() + &":x".repeat(1800);
    let digits = |count: usize| "A".repeat(count);
    let field = format!(
        "{FIELD_NAME}: v=1; d=example.com; s=mail.example.com; kid=zi2-cert-2026-04; t={}; h={names}; bh={}=; b={}==\r\n",
        NOW.secs(),
        digits(43),
        digits(86),
    );
    [field.as_bytes(), "X: 1\r\n".repeat(extra).as_bytes(), &base()].concat()
}

fn read(message: &[u8], now: Timestamp) {
    let message = Message::split(black_box(message));
    let verifier = Verifier::new(&message.header, now, limits::WINDOW_SECS, &mut DigestPlan::new());
    assert!(verifier.query().is_some(), "it gets as far as asking for keys");
}
