//! A case in the making.

use serde_json::Value;

use crate::{Author, Case, Dmarc, Expect, Mail, MilterStep, Row, Signing, Step};

/// A case and the octets of its messages.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// The case.
    pub case: Case,
    /// Its messages: names of files and octets.
    pub messages: Vec<(String, Vec<u8>)>,
}

/// The server that certifies for good.example.
pub(super) const GOOD: Signing<'static> = Signing::of("good", "mx.good.example");

/// The server that certifies for evil.example.
pub(super) const EVIL: Signing<'static> = Signing::of("evil", "mx.evil.example");

/// Questions a complete look-up costs: the author's record and the server's.
pub(super) const KEYS: u32 = 2;

/// Questions a look-up costs that finds nothing: the page's name too, and then the policy.
pub(super) const NO_KEY: u32 = 4;

/// The question for a domain's policy alone.
pub(super) const POLICY: u32 = 1;

/// Questions that ZI2, its policy, a key of DKIM, SPF and DMARC of an honest message cost at most.
pub(super) const CHAIN: u32 = 8;

/// B0 before it is certified.
pub(super) fn honest() -> Mail {
    Mail::by("Ann <ann@good.example>")
}

/// B0: honest mail of ann@good.example to bob@recv.example.
pub(super) fn b0() -> Mail {
    honest().signed(GOOD)
}

impl Sketch {
    pub(super) fn new(number: u32, attack: &str, title: &str) -> Sketch {
        let case = Case {
            id: format!("TC-{number:03}"),
            title: title.to_owned(),
            attack: attack.to_owned(),
            note: None,
            later: None,
            world: Value::Null,
            in_sequence: false,
            steps: Vec::new(),
            rows: None,
            milter: Vec::new(),
            senders: None,
        };
        Sketch { case, messages: Vec::new() }
    }

    /// A case of one message.
    pub(super) fn one(number: u32, attack: &str, title: &str, mail: &Mail, expect: Expect) -> Sketch {
        Sketch::new(number, attack, title).message("message.eml", mail).step("message.eml", "", expect)
    }

    pub(super) fn note(mut self, note: &str) -> Sketch {
        self.case.note = Some(note.to_owned());
        self
    }

    pub(super) fn later(mut self, later: &str) -> Sketch {
        self.case.later = Some(later.to_owned());
        self
    }

    pub(super) fn world(mut self, patch: Value) -> Sketch {
        self.case.world = patch;
        self
    }

    pub(super) fn message(self, file: &str, mail: &Mail) -> Sketch {
        self.octets(file, mail.octets())
    }

    pub(super) fn octets(mut self, file: &str, octets: Vec<u8>) -> Sketch {
        self.messages.push((file.to_owned(), octets));
        self
    }

    /// A message of its own that arrives once.
    pub(super) fn arrives(self, file: &str, mail: &Mail, what: &str, expect: Expect) -> Sketch {
        self.message(file, mail).step(file, what, expect)
    }

    pub(super) fn step(self, file: &str, what: &str, expect: Expect) -> Sketch {
        self.step_in(file, what, Value::Null, expect)
    }

    pub(super) fn step_in(mut self, file: &str, what: &str, world: Value, expect: Expect) -> Sketch {
        let what = Some(what.to_owned()).filter(|what| !what.is_empty());
        self.case.steps.push(Step { message: file.to_owned(), what, world, dmarc: None, issued: false, expect });
        self
    }

    /// What DMARC says of the last step's message.
    pub(super) fn dmarc(mut self, dmarc: Dmarc) -> Sketch {
        if let Some(step) = self.case.steps.last_mut() {
            step.dmarc = Some(dmarc);
        }
        self
    }

    /// The last step's nonce was issued here and not yet claimed.
    pub(super) fn issued(mut self) -> Sketch {
        if let Some(step) = self.case.steps.last_mut() {
            step.issued = true;
        }
        self
    }

    /// The steps happen one after another, and leave these rows: domain, name of the key, certifications, days.
    pub(super) fn leaves(mut self, rows: &[(&str, &str, u64, u32)]) -> Sketch {
        let row = |(domain, key, valid, days): &(&str, &str, u64, u32)| Row {
            domain: (*domain).to_owned(),
            p: crate::public(key),
            valid: *valid,
            days: *days,
        };
        self.case.in_sequence = true;
        self.case.rows = Some(rows.iter().map(row).collect());
        self
    }

    pub(super) fn senders(mut self, map: &str) -> Sketch {
        self.case.senders = Some(map.to_owned());
        self
    }

    pub(super) fn milter(mut self, step: MilterStep) -> Sketch {
        self.case.milter.push(step);
        self
    }
}

/// Both parts of a world; the keys of the second count.
pub(super) fn merged(mut one: Value, other: &Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other.clone());
    }
    one
}

fn verdict(result: &str, reason: &str, level: u8, dns_queries: u32) -> Expect {
    Expect {
        result: result.to_owned(),
        reason: reason.to_owned(),
        level,
        spoof: "no".to_owned(),
        d: Author::Any,
        history: None,
        sid_confirmed: None,
        duplicate: None,
        not_covered: Vec::new(),
        dns_queries,
        chain: Value::Null,
        absent: Vec::new(),
        exit: None,
    }
}

/// Valid, with a key from DNS, for this author.
pub(super) fn pass(domain: &str) -> Expect {
    valid(domain, 1, "ok.dns")
}

/// Valid, for this author.
pub(super) fn valid(domain: &str, level: u8, reason: &str) -> Expect {
    verdict("pass", reason, level, KEYS).by(domain)
}

/// Invalid before anything was asked.
pub(super) fn refused(reason: &str) -> Expect {
    verdict("fail", reason, 0, 0)
}

/// The field itself is not what it must be: only the From domain's policy may be asked, since a broken field must gain
/// nothing over a missing one.
pub(super) fn malformed(reason: &str) -> Expect {
    verdict("fail", reason, 0, POLICY)
}

/// Invalid after the keys, and then the policy, were asked.
pub(super) fn fail(reason: &str) -> Expect {
    verdict("fail", reason, 0, KEYS + POLICY)
}

/// Nobody speaks for the key.
pub(super) fn no_key(reason: &str) -> Expect {
    verdict("fail", reason, 0, NO_KEY)
}

/// Certified, and changed since.
pub(super) fn tampered(reason: &str) -> Expect {
    verdict("tampered", reason, 0, KEYS + POLICY)
}

/// Not certified.
pub(super) fn missing() -> Expect {
    verdict("missing", "none.absent", 0, POLICY)
}

/// Not certified, though expected to be.
pub(super) fn expected_missing(spoof: &str) -> Expect {
    verdict("missing", "policy.expected_missing", 0, POLICY).spoof(spoof)
}

/// Too old.
pub(super) fn expired() -> Expect {
    verdict("expired", "expired.window", 0, KEYS)
}

/// Not known now.
pub(super) fn temperror(reason: &str) -> Expect {
    verdict("temperror", reason, 0, KEYS)
}

impl Expect {
    pub(super) fn by(mut self, domain: &str) -> Expect {
        self.d = Author::Domain(domain.to_owned());
        self
    }

    pub(super) fn by_nobody(mut self) -> Expect {
        self.d = Author::Nobody;
        self
    }

    pub(super) fn spoof(mut self, spoof: &str) -> Expect {
        self.spoof = spoof.to_owned();
        self
    }

    pub(super) fn history(mut self, standing: &str) -> Expect {
        self.history = Some(standing.to_owned());
        self
    }

    pub(super) fn queries(mut self, most: u32) -> Expect {
        self.dns_queries = most;
        self
    }

    pub(super) fn confirmed(mut self, confirmed: bool) -> Expect {
        self.sid_confirmed = Some(confirmed);
        self
    }

    pub(super) fn duplicate(mut self, duplicate: bool) -> Expect {
        self.duplicate = Some(duplicate);
        self
    }

    /// And this of the existing chain.
    pub(super) fn chain(mut self, chain: Value) -> Expect {
        self.chain = chain;
        self
    }

    pub(super) fn without(mut self, texts: &[&str]) -> Expect {
        self.absent = texts.iter().map(|text| (*text).to_owned()).collect();
        self
    }

    pub(super) fn not_covering(mut self, fields: &[&str]) -> Expect {
        self.not_covered = fields.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(super) fn exit(mut self, code: u8) -> Expect {
        self.exit = Some(code);
        self
    }
}
