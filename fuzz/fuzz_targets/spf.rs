//! Whatever a domain publishes, SPF asks a bounded number of questions, comes to the same result in any order of answers, and
//! passes nobody of whom DNS said nothing.
//!
//! Input: one octet for the kind of client, 16 for its address, then lines: MAIL FROM, HELO, and TXT records, which the names
//! that are asked share.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use zi2_chain::limits::SPF_QUESTIONS;
use zi2_chain::spf::{Spf, SpfInput, SpfReason, SpfResult, SpfVerdict};
use zi2_chain::{Answer, DnsName, Question};
use zi2_mail::{HostName, Timestamp};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    let Some((address, rest)) = rest.split_first_chunk::<16>() else { return };
    let mut lines = rest.split(|octet| *octet == b'\n');
    let (mail_from, helo) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let world = World { records: lines.map(<[u8]>::to_vec).collect() };
    let receiver = HostName::parse("mx.recv.example").expect("a host name");
    let client = match kind & 1 {
        0 => IpAddr::V4(Ipv4Addr::from_bits(u128::from_be_bytes(*address) as u32)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(*address))),
    };
    let input = SpfInput { client, helo, mail_from, receiver: &receiver, now: Timestamp::from_secs(1_777_400_000) };
    let result = run(Spf::explaining(&input), &world);
    assert_eq!(result.domain.is_none(), result.reason == SpfReason::NoDomain);
    assert_eq!(run_from_behind(Spf::explaining(&input), &world), result);
    let nothing = run(Spf::new(&input), &World { records: Vec::new() });
    assert_ne!(nothing.verdict, SpfVerdict::Pass, "no record, no pass");
});

struct World {
    records: Vec<Vec<u8>>,
}

impl World {
    /// An answer depends on the name alone.
    fn answer(&self, question: &Question) -> Answer {
        let (Question::Txt(name) | Question::V4(name) | Question::V6(name) | Question::Mx(name)) = question else {
            return Answer::Pointer(vec![DnsName::parse("good.example").expect("a name")]);
        };
        let number = name.as_str().bytes().fold(0_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
        match (question, self.records.len()) {
            (_, 0) => Answer::NoSuchName,
            (Question::Txt(_), count) => Answer::Txt(vec![self.records[number % count].clone()]),
            _ if number % 5 == 0 => Answer::NoData,
            _ if number % 7 == 0 => Answer::Trouble,
            (Question::V4(_), _) => Answer::V4(vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::UNSPECIFIED]),
            (Question::V6(_), _) => Answer::V6(vec![Ipv6Addr::LOCALHOST]),
            _ => Answer::Mx(vec![name.clone(), DnsName::parse("mx.example").expect("a name")]),
        }
    }
}

fn run(mut spf: Spf, world: &World) -> SpfResult {
    let mut asked = 0;
    while let Some(question) = spf.poll() {
        spf.answer(&question, world.answer(&question));
        asked += 1;
    }
    assert!(asked <= SPF_QUESTIONS && spf.is_finished());
    spf.finish()
}

/// All that can be asked is asked; then the last question is answered first.
fn run_from_behind(mut spf: Spf, world: &World) -> SpfResult {
    let mut open = Vec::new();
    loop {
        open.extend(std::iter::from_fn(|| spf.poll()));
        let Some(question) = open.pop().filter(|_| !spf.is_finished()) else { return spf.finish() };
        spf.answer(&question, world.answer(&question));
    }
}
