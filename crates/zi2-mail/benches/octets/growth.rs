//! How the cost of a message grows: a column that stays flat is a linear cost.

use std::hint::black_box;

use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Message};

use crate::common::corpus;
use crate::common::options::Effort;
use crate::common::race::Race;
use crate::common::report::{Cell, Table, size};

const FIELDS: [usize; 3] = [10, 100, 1000];
const SIZES: [usize; 5] = [1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20];
const SECONDS: f64 = 1.0;

/// Shapes of a field. The last ones are what a stranger would send to keep us busy.
const SHAPES: [(&str, &str); 4] = [
    ("ordinary", "X-Ordinary: a value of some forty octets, as they are\r\n"),
    ("nothing but a name", "X:\r\n"),
    ("ten folds", "X-Folded: a\r\n b\r\n c\r\n d\r\n e\r\n f\r\n g\r\n h\r\n i\r\n j\r\n k\r\n"),
    ("no field", "this line is no field\r\n"),
];

/// A section cut and one of its fields looked for.
pub(crate) fn by_fields(effort: Effort) -> Table {
    let mut table = Table::new(
        "growth with the number of fields (split, then look for one)",
        &["fields", "shape", "us", "ns/field"],
    );
    for (shape, field) in SHAPES {
        for fields in FIELDS {
            let message = field.repeat(fields) + "\r\n";
            let nanos = measure(effort, 1, |_| {
                let message = Message::split(black_box(message.as_bytes()));
                black_box(message.header.named("from").next());
            });
            let cells = [nanos / 1e3, nanos / fields as f64].map(Cell::Number);
            table.row([vec![Cell::Count(fields as u64), Cell::Text(shape.to_owned())], cells.to_vec()].concat());
        }
    }
    table
}

/// A whole message: cut, and its body hashed as zi2.md wants it.
pub(crate) fn by_octets(effort: Effort) -> Table {
    let mut table = Table::new(
        "growth with the body (split, then raw and simple digest)",
        &["body", "us", "us without header", "ns/octet"],
    );
    let header = corpus::message(0, 0);
    let base = measure(effort, 1, |_| drop(black_box(Message::split(black_box(&header)))));
    for octets in SIZES.into_iter().filter(|octets| effort == Effort::Full || *octets <= 10 << 10) {
        let message = corpus::message(0, octets);
        let nanos = measure(effort, 1, |_| digest_of(&message));
        let (whole, rest) = (Cell::Number(nanos / 1e3), Cell::Number((nanos - base) / 1e3));
        table.row([size(octets), whole, rest, Cell::Ratio((nanos - base) / octets as f64)]);
    }
    table
}

fn digest_of(message: &[u8]) {
    let message = Message::split(black_box(message));
    let mut plan = DigestPlan::new();
    plan.request(BodyCanon::Raw, HashAlg::Sha256);
    plan.request(BodyCanon::Simple, HashAlg::Sha256);
    let mut digester = plan.start();
    digester.feed(message.body);
    black_box(digester.finish());
}

fn measure(effort: Effort, calls: usize, work: impl FnMut(usize)) -> f64 {
    let mut race = Race::new(calls);
    race.enter("it", work);
    race.run(effort, SECONDS).of("it")
}
