//! TC-092, TC-096: too much of everything. Questions and octets are counted, not time.

use super::sketch::{GOOD, Sketch, b0, honest, pass, refused};
use crate::Mail;

pub(super) fn sketches() -> Vec<Sketch> {
    vec![certifications(), fields()]
}

fn certifications() -> Sketch {
    let with = |count: usize| {
        let field = b0().fields().swap_remove(0);
        (0..count).fold(honest(), |mail, _| mail.above(&field))
    };
    let short = |count: usize| (0..count).fold(honest(), |mail, _| mail.above("X-ZI2-Certified: v=1"));
    Sketch::one(92, "R7: a flood of certifications", "1,000 X-ZI2-Certified", &short(1000), refused("header.syntax"))
        .arrives("990.eml", &short(990), "990: fewer fields than the limit", refused("header.duplicate"))
        .arrives("2.eml", &with(2), "two, both valid", refused("header.duplicate"))
        .arrives("1.eml", &with(1), "one", pass("good.example"))
        .note(
            "Over 1,000 fields in all the header section itself is malformed (zi2.md §2), \
                below it is the duplicate.",
        )
}

fn fields() -> Sketch {
    let with = |count: usize| {
        let mut mail = honest();
        let present = mail.fields().len() + 1; // and the certification
        for _ in present..count {
            mail = mail.below("X:1");
        }
        mail
    };
    let large = |octets: usize| {
        let mail = honest().with("X", "");
        let signed = mail.clone().signed(GOOD).header().len();
        let filler = octets - signed;
        let line = format!("\r\n {}", "x".repeat(61));
        mail.with("X", [line.repeat(filler / 64), "x".repeat(filler % 64)].concat()).signed(GOOD)
    };
    let many: Mail = with(10_000);
    Sketch::one(
        96,
        "C13: a flood of fields",
        "10,000 fields",
        &many.forged(&super::certified::by_good()),
        refused("header.syntax"),
    )
    .arrives("1000.eml", &with(1000).signed(GOOD), "1,000: the limit", pass("good.example"))
    .arrives("1001.eml", &with(1001).forged(&super::certified::by_good()), "one more", refused("header.syntax"))
    .arrives("256k.eml", &large(256 * 1024), "256 KiB: the limit", pass("good.example"))
    .arrives("256k1.eml", &large(256 * 1024 + 1), "one octet more", refused("header.syntax"))
}
