//! DKIM and ZI2 of one message, verified in one pass.

use std::hint::black_box;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use zi2_mail::{DigestPlan, HostName, Message};
use zi2_sig::dkim::{self, Policy, RecordAnswer};
use zi2_sig::{Form, Identity, Kid, Outcome, PublicKey, Signer, SigningKey, Verifier, limits};

use crate::common::corpus::{self, Body};
use crate::common::options::Effort;
use crate::common::race::Race;
use crate::common::report::{Cell, Table, size};
use crate::keys::{Key, SEED};
use crate::mail::{Mail, NOW};
use crate::{SECONDS, count, rows};

/// One row for each kind and size of body: RSA for DKIM, the combined form of ZI2.
pub(crate) fn table(effort: Effort) -> Table {
    let columns = ["body", "octets", "two signatures and one hash, us", "zi2-sig, us", "ratio"];
    let mut table = Table::new("DKIM (RSA-2048) and ZI2 verified together", &columns);
    let key = Key::rsa();
    for (kind, octets) in rows(effort) {
        let count = count(octets, effort);
        let mails: Vec<Both> = (0..count).map(|number| Both::new(number as u64, kind, octets, &key)).collect();
        let public = ParsedPublicKey::new(&ED25519, mails[0].public.as_octets()).unwrap();
        let mut race = Race::new(count);
        race.enter("floor", |n| mails[n].floor(&key, &public));
        race.enter("both", |n| assert!(mails[n].verify(&key), "a good message"));
        let times = race.run(effort, SECONDS);
        let [floor, both] = ["floor", "both"].map(|name| Cell::Number(times.of(name) / 1e3));
        table.row([
            Cell::Text(kind.name().to_owned()),
            size(octets),
            floor,
            both,
            Cell::Ratio(times.ratio("both", "floor")),
        ]);
    }
    table
}

struct Both {
    dkim: Mail,
    /// Of ZI2's key, over what DKIM signs too: about as many octets as ZI2 signs.
    signature: [u8; 64],
    public: PublicKey,
}

impl Both {
    /// Certified first, so that DKIM signs the certification too.
    fn new(number: u64, kind: Body, octets: usize, key: &Key) -> Both {
        let plain = corpus::unsigned(number, kind, octets);
        let message = Message::split(&plain);
        let identity = Identity {
            sid: HostName::parse("mail.example.com").unwrap(),
            kid: Kid::parse("zi2-cert-2026-04").unwrap(),
        };
        let ours = SigningKey::from_seed(&SEED).unwrap();
        let mut plan = DigestPlan::new();
        let signer = Signer::new(&message.header, &identity, Form::Combined, NOW, [1; 16], &mut plan).unwrap();
        let field = signer.finish(&plan.digest(message.body), &ours).unwrap().field;
        let certified = [field.wire().as_bytes(), b"\r\n", &plain].concat();
        let dkim = Mail::of(certified, octets, key);
        Both { signature: ours.sign(&dkim.input), dkim, public: ours.public() }
    }

    fn verify(&self, key: &Key) -> bool {
        let message = Message::split(black_box(&self.dkim.signed));
        let mut plan = DigestPlan::new();
        let mut zi2 = Verifier::new(&message.header, NOW, limits::WINDOW_SECS, &mut plan);
        let mut dkim = dkim::Verifier::new(&message.header, NOW, &Policy::default(), &mut plan);
        zi2.answer(self.public.into());
        for name in dkim.questions() {
            dkim.answer(&name, &RecordAnswer::Records(key.records.clone()));
        }
        let digests = plan.digest(message.body);
        matches!(zi2.finish(&digests).outcome, Outcome::Verified(_)) && dkim.finish(&digests).passed().next().is_some()
    }

    fn floor(&self, key: &Key, public: &ParsedPublicKey) {
        self.dkim.floor_verify(key);
        assert!(public.verify_sig(black_box(&self.dkim.input), &self.signature).is_ok(), "a good signature");
    }
}
