//! DKIM2 of zi2-sig beside mail-auth and the floor: the hashes that must be made and the signature operations.

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use zi2_mail::{Header, Message};
use zi2_sig::dkim2::{Brackets, Chain, Draft, FullyVerified, hashed_header};

use super::house::{self, House, OurSigner, Said, Trip, full, name};
use crate::common::corpus::{self, Body};
use crate::common::options::Options;
use crate::common::race::Race;
use crate::common::report::{Cell, Table, size};

const HOPS: [usize; 3] = [1, 3, 10];
const SIZES: [usize; 3] = [4 << 10, 100 << 10, 10 << 20];
const TURN_OCTETS: usize = 24 << 20;
const MESSAGES: usize = 128;
const SECONDS: f64 = 1.5;

/// A message before and after its newest hop, and what had to be known of it.
struct Case {
    received: Vec<u8>,
    outgoing: Vec<u8>,
    mail: Vec<u8>,
    by: Trip,
    to: Trip,
    evidence: Option<FullyVerified>,
    domain: usize,
    floor: Floor,
}

/// What is hashed and signed, made beforehand.
struct Floor {
    /// Signed header fields of each version that differs, the newest last.
    headers: Vec<Vec<u8>>,
    /// Octets of the body of each.
    bodies: Vec<usize>,
    body_start: usize,
    /// What each signature is over, and it.
    signed: Vec<(Vec<u8>, Vec<u8>, ParsedPublicKey)>,
    key: Ed25519KeyPair,
}

/// What hops do with the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    /// A word in the subject and a footer.
    List,
}

pub(crate) fn tables(options: &Options) -> [Table; 2] {
    let columns = crate::columns(["hops", "change", "octets"]);
    let [mut verify, mut sign] = ["DKIM2: verify", "DKIM2: sign the newest hop"].map(|name| Table::new(name, &columns));
    let house = House::new();
    let only = options.number("--octets");
    for octets in SIZES.into_iter().filter(|octets| only.is_none_or(|only| only == *octets as u64)) {
        for change in [Change::None, Change::List] {
            for hops in HOPS {
                let [verified, signed] = measure(&house, hops, change, octets, options);
                verify.row(verified);
                sign.row(signed);
            }
        }
    }
    [verify, sign]
}

fn measure(house: &House, hops: usize, change: Change, octets: usize, options: &Options) -> [[Cell; 8]; 2] {
    let count = (TURN_OCTETS / octets).clamp(2, MESSAGES);
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let cases: Vec<Case> =
        (0..count).map(|number| Case::new(house, number as u64, hops, change, octets, now)).collect();
    let signers: Vec<OurSigner> =
        cases.iter().map(|case| OurSigner::new(case.domain, &case.to, &Said::default(), now)).collect();
    let mut race = Race::new(count);
    race.enter("floor of verifying", |n| cases[n].floor_verify());
    race.enter("verifying", |n| assert_eq!(house.ours(black_box(&cases[n].mail), &cases[n].to, now).result(), "pass"));
    race.enter("mail-auth verifying", |n| assert_eq!(house.theirs(black_box(&cases[n].mail), &cases[n].to).0, "pass"));
    race.enter("floor of signing", |n| cases[n].floor_sign());
    race.enter("signing", |n| assert!(black_box(cases[n].sign(&signers[n])) > 0));
    race.enter("mail-auth signing", |n| assert!(black_box(cases[n].sign_theirs(house)) > 0));
    race.enter("mail-auth verifying before", |n| cases[n].verify_before(house));
    let times = race.run(options.effort, SECONDS);
    let rows = [
        ("verifying", "floor of verifying", "mail-auth verifying"),
        ("signing", "floor of signing", "mail-auth signing"),
    ];
    rows.map(|(ours, floor, theirs)| {
        // mail-auth signs what it has just verified: that is no part of signing.
        let before = if theirs == "mail-auth signing" { times.of("mail-auth verifying before") } else { 0.0 };
        let theirs = times.of(theirs) - before;
        let text = |word: &str| Cell::Text(word.to_owned());
        let word = if change == Change::None { "none" } else { "subject, footer" };
        let micros = |nanos: f64| Cell::Number(nanos / 1e3);
        [
            Cell::Text(hops.to_string()),
            text(word),
            size(octets),
            micros(times.of(floor)),
            micros(times.of(ours)),
            micros(theirs),
            Cell::Ratio(times.ratio(ours, floor)),
            Cell::Ratio(theirs / times.of(ours)),
        ]
    })
}

impl Case {
    fn new(house: &House, number: u64, hops: usize, change: Change, octets: usize, now: u64) -> Case {
        let plain = plain(number, octets);
        let (mut received, mut outgoing) = (Vec::new(), plain);
        let (mut by, mut evidence) = (Trip::of(0, 0), None);
        let (mut versions, mut domain) = (Vec::new(), 0);
        loop {
            versions.push(outgoing.clone());
            let to = Trip::of(domain, domain + 1);
            let before = evidence.as_ref().map(|evidence| (received.as_slice(), evidence));
            let fields = house.sign(before, &outgoing, domain, &to, &Said::default(), now).unwrap();
            let mail = [fields.as_bytes(), &outgoing].concat();
            if domain + 1 == hops {
                let floor = Floor::of(&mail, &versions, change, domain);
                return Case { received, outgoing, mail, by, to, evidence, domain, floor };
            }
            evidence = full(house.ours(&mail, &to, now));
            outgoing = if change == Change::List { edited(&mail, domain) } else { mail.clone() };
            (received, by, domain) = (mail, to, domain + 1);
        }
    }

    fn sign(&self, signer: &OurSigner) -> usize {
        let fields = match &self.evidence {
            None => signer.first(black_box(&self.outgoing)),
            Some(evidence) => signer.further(black_box(&self.received), evidence, black_box(&self.outgoing)),
        };
        fields.unwrap().iter().map(|field| field.wire().len()).sum()
    }

    fn sign_theirs(&self, house: &House) -> usize {
        let before = self.evidence.as_ref().map(|_| (self.received.as_slice(), &self.by));
        let (domain, said) = (self.domain, Said::default());
        house.sign_theirs(before, black_box(&self.outgoing), domain, &self.to, &said).unwrap().len()
    }

    fn verify_before(&self, house: &House) {
        if self.evidence.is_some() {
            assert_eq!(house.theirs(black_box(&self.received), &self.by).0, "pass");
        }
    }

    fn floor_verify(&self) {
        let body = &self.mail[self.floor.body_start..];
        for hashed in
            self.floor.bodies.iter().map(|octets| &body[..*octets]).chain(self.floor.headers.iter().map(Vec::as_slice))
        {
            black_box(digest(&SHA256, black_box(hashed)));
        }
        for (input, signature, key) in &self.floor.signed {
            assert!(key.verify_sig(digest(&SHA256, black_box(input)).as_ref(), signature).is_ok());
        }
    }

    /// The version that came, which must be the one that was verified, and the one that goes.
    fn floor_sign(&self) {
        let body = &self.mail[self.floor.body_start..];
        let (bodies, headers) = (self.floor.bodies.iter().rev().take(2), self.floor.headers.iter().rev().take(2));
        for hashed in bodies.map(|octets| &body[..*octets]).chain(headers.map(Vec::as_slice)) {
            black_box(digest(&SHA256, black_box(hashed)));
        }
        let (input, ..) = self.floor.signed.last().unwrap();
        black_box(self.floor.key.sign(digest(&SHA256, black_box(input)).as_ref()));
    }
}

impl Floor {
    fn of(mail: &[u8], versions: &[Vec<u8>], change: Change, domain: usize) -> Floor {
        let versions = if change == Change::None { &versions[..1] } else { versions };
        let chain = Chain::read(&Header::parse(mail), Draft::default(), Brackets::Required).unwrap().unwrap();
        let pair = |domain: usize| Ed25519KeyPair::from_seed_unchecked(&house::seed(domain)).unwrap();
        let signed = chain.signatures().iter().enumerate().map(|(domain, signature)| {
            let input = chain.signed_by(signature);
            let value = pair(domain).sign(digest(&SHA256, &input).as_ref()).as_ref().to_vec();
            let public = zi2_sig::SigningKey::from_seed(&house::seed(domain)).unwrap().public();
            (input, value, ParsedPublicKey::new(&ED25519, public.as_octets()).unwrap())
        });
        Floor {
            headers: versions
                .iter()
                .map(|mail| hashed_header(&Message::split(mail).header, Draft::default()))
                .collect(),
            bodies: versions.iter().map(|mail| Message::split(mail).body.len()).collect(),
            body_start: mail.len() - Message::split(mail).body.len(),
            signed: signed.collect(),
            key: pair(domain),
        }
    }
}

/// A message of a.example with a body of prose.
fn plain(number: u64, octets: usize) -> Vec<u8> {
    let mail = corpus::unsigned(number, Body::Prose, octets);
    let message = Message::split(&mail);
    let section = String::from_utf8(message.header.octets().to_vec()).unwrap().replace("example.com", &name(0));
    [section.as_bytes(), b"\r\n", message.body].concat()
}

/// What a list does.
fn edited(mail: &[u8], hop: usize) -> Vec<u8> {
    let at = mail.windows(9).position(|window| window == b"Subject: ").unwrap() + 9;
    [&mail[..at], format!("[{hop}] ").as_bytes(), &mail[at..], format!("-- \r\nlist {hop}\r\n").as_bytes()].concat()
}
