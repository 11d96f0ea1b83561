//! All DKIM2 fields of a message as one chain, and the rules that need nothing but the fields and the time (§ -08 10, 14).

use zi2_mail::{Field, Header, Timestamp};

use super::{Binding, Brackets, Draft, Failure, Instance, Kind, Path, Place, Problem, Signature};
use crate::limits;

/// The fields in their order by number: both sequences begin with 1 and have no gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    pub(super) draft: Draft,
    pub(super) instances: Vec<Instance>,
    pub(super) signatures: Vec<Signature>,
}

impl Chain {
    /// Reads the fields of a header section. Nothing if there are none.
    ///
    /// # Errors
    /// [`Failure`]: the first rule that is broken, in the order of § -08 14.
    pub fn read(header: &Header<'_>, draft: Draft, brackets: Brackets) -> Result<Option<Chain>, Failure> {
        let fields =
            |is: fn(Field<'_>) -> bool| -> Vec<Field<'_>> { header.from_bottom().filter(|f| is(*f)).collect() };
        let (instances, signatures) = (fields(Instance::is), fields(Signature::is));
        if instances.is_empty() && signatures.is_empty() {
            return Ok(None);
        }
        let whole = |problem, offset| Failure { problem, draft, place: Place { offset, ..Place::default() } };
        // A section that is cut, or that readers take in different ways, is not what a hash of fields says it is.
        if let Some(defect) = header.ambiguity() {
            return Err(whole(Problem::Section, Some(defect.offset)));
        }
        if let Some(over) = instances.get(limits::DKIM2_FIELDS).or(signatures.get(limits::DKIM2_FIELDS)) {
            return Err(whole(Problem::TooMany, Some(over.offset())));
        }
        let instances = instances.into_iter().map(|field| Instance::parse(field, draft)).collect::<Result<_, _>>()?;
        let signatures = signatures.into_iter().map(|field| Signature::parse(field, draft, brackets));
        let mut chain = Chain { draft, instances, signatures: signatures.collect::<Result<_, _>>()? };
        chain.instances.sort_by_key(Instance::number);
        chain.signatures.sort_by_key(Signature::number);
        chain.check_numbers()?;
        Ok(Some(chain))
    }

    /// The Message-Instances, the oldest first.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// The DKIM2-Signatures, the oldest first.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The newest signature.
    pub fn newest(&self) -> Option<&Signature> {
        self.signatures.last()
    }

    /// What a signature is over (§ -08 6.3): the instances it knew, the signatures before it, itself without its values.
    pub fn signed_by(&self, signature: &Signature) -> Vec<u8> {
        self.joined(signature.number(), signature.instance(), b"", &signature.own_form)
    }

    /// The fields that a signature of these numbers signs beside itself.
    pub(super) fn fields_before(&self, number: u32, instance: u32) -> Vec<u8> {
        self.fields_with(number, instance, b"")
    }

    /// The same with an instance after them, which is not of the chain yet.
    pub(super) fn fields_with(&self, number: u32, instance: u32, new: &[u8]) -> Vec<u8> {
        self.joined(number, instance, new, b"")
    }

    fn joined(&self, number: u32, instance: u32, new: &[u8], own: &[u8]) -> Vec<u8> {
        // § -08 6.3: all instances come before all signatures
        let instances = self.instances.iter().filter(|other| other.number() <= instance);
        let instances = instances.map(|other| other.signed_form.as_slice()).chain([new]);
        let signatures = self.signatures.iter().filter(|other| other.number() < number);
        let parts: Vec<&[u8]> =
            instances.chain(signatures.map(|other| other.signed_form.as_slice())).chain([own]).collect();
        parts.concat()
    }

    /// The signature that first covered an instance: whoever made it answers for that version.
    pub fn first_over(&self, instance: u32) -> Option<&Signature> {
        self.signatures.iter().find(|signature| signature.instance() >= instance)
    }

    fn failure(&self, problem: Problem, place: Place) -> Failure {
        Failure { problem, draft: self.draft, place }
    }

    fn check_numbers(&self) -> Result<(), Failure> {
        let missing = |kind, number: u32| {
            let (hop, instance) = if kind == Kind::Signature { (Some(number), None) } else { (None, Some(number)) };
            self.failure(Problem::Missing(kind), Place { hop, instance, ..Place::default() })
        };
        // A number that is there twice has no text of its own: the second field is wrong.
        let twice = |kind, place| self.failure(Problem::Syntax(kind), place);
        for (expected, signature) in (1..).zip(&self.signatures) {
            match signature.number() {
                number if number == expected => {}
                number if number < expected => return Err(twice(Kind::Signature, signature.place("i"))),
                _ => return Err(missing(Kind::Signature, expected)),
            }
        }
        for (expected, instance) in (1..).zip(&self.instances) {
            match instance.number() {
                number if number == expected => {}
                number if number < expected => return Err(twice(Kind::Instance, instance.place("m", instance.offset))),
                _ => return Err(missing(Kind::Instance, expected)),
            }
        }
        if self.signatures.is_empty() {
            return Err(missing(Kind::Signature, 1));
        }
        let newest = self.instances.last().map_or(0, Instance::number);
        let mut before = 1;
        for signature in &self.signatures {
            if signature.instance() > newest {
                return Err(missing(Kind::Instance, newest + 1));
            }
            if signature.instance() < before {
                return Err(twice(Kind::Signature, signature.place("m")));
            }
            before = signature.instance();
        }
        match self.instances.last().filter(|instance| instance.number() > before) {
            Some(instance) => Err(self.failure(Problem::NotSigned, instance.place("m", instance.offset))),
            None => Ok(()),
        }
    }

    /// § -08 14.3: no signature older than 14 days, none of tomorrow.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), Failure> {
        for signature in &self.signatures {
            let problem = if signature.time().add_secs(limits::DKIM2_AGE_SECS) < now {
                Problem::Expired
            } else if now.add_secs(limits::DKIM2_FUTURE_SECS) < signature.time() {
                Problem::Future
            } else {
                continue;
            };
            return Err(self.failure(problem, signature.place("t")));
        }
        Ok(())
    }

    /// § -08 14.4: the newest signature names this transaction, exactly.
    pub(super) fn check_envelope(&self, envelope: &Envelope) -> Result<(), Failure> {
        let Some(newest) = self.newest() else { return Ok(()) };
        let (sender, recipients) = match newest.binding() {
            Binding::Next(_) => return Err(self.failure(Problem::NextAtTop, newest.place("nd"))),
            Binding::Envelope { sender, recipients } => (sender, recipients),
        };
        if let Some(other) = envelope.sender.as_ref().filter(|other| *other != sender) {
            return Err(self.failure(Problem::MailFrom(shown(other)), newest.place("mf")));
        }
        match envelope.recipients.iter().find(|recipient| !recipients.contains(recipient)) {
            Some(other) => Err(self.failure(Problem::RcptTo(shown(other)), newest.place("rt"))),
            None => Ok(()),
        }
    }

    /// § -08 10.8: every `mf=` is under its `d=`.
    pub(super) fn check_sender(&self, signature: &Signature) -> Result<(), Failure> {
        match signature.binding() {
            Binding::Envelope { sender, .. } if !sender.is_null() => {
                let fits = sender.domain().is_some_and(|sender| sender.is_within(signature.domain()));
                if fits { Ok(()) } else { Err(self.failure(Problem::SenderDomain, signature.place("mf"))) }
            }
            _ => Ok(()),
        }
    }

    /// § -08 14.4: `mf=` under `d=` everywhere, and each hop one of those to whom the hop before it sent.
    pub(super) fn check_custody(&self) -> Result<(), Failure> {
        self.signatures.iter().try_for_each(|signature| self.check_sender(signature))?;
        self.signatures.windows(2).try_for_each(|pair| match pair {
            [before, signature] => self.check_pair(before.binding(), signature),
            _ => Ok(()),
        })
    }

    fn check_pair(&self, before: &Binding, signature: &Signature) -> Result<(), Failure> {
        check_link(before, signature.domain(), signature.binding())
            .map_err(|problem| self.failure(problem, signature.place("d")))
    }
}

/// Whether a hop of this domain and binding may follow one that was sent so.
pub(super) fn check_link(before: &Binding, domain: &zi2_mail::Domain, binding: &Binding) -> Result<(), Problem> {
    let recipients = match before {
        Binding::Next(next) => return if next == domain { Ok(()) } else { Err(Problem::NextDomain) },
        Binding::Envelope { recipients, .. } => recipients,
    };
    let mut recipients = recipients.iter().filter_map(Path::domain);
    match binding {
        Binding::Envelope { sender, .. } if !sender.is_null() => {
            let fits = |recipient| sender.domain().is_some_and(|sender| sender.is_within(recipient));
            if recipients.any(fits) { Ok(()) } else { Err(Problem::CustodySender) }
        }
        _ if recipients.any(|recipient| recipient.is_within(domain)) => Ok(()),
        _ => Err(Problem::CustodyDomain),
    }
}

/// The envelope of the transaction that a message came by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Envelope {
    sender: Option<Path>,
    recipients: Vec<Path>,
}

impl Envelope {
    /// The arguments of MAIL and of every RCPT, with or without angle brackets.
    pub fn of<A: AsRef<[u8]>>(mail: &[u8], rcpt: impl IntoIterator<Item = A>) -> Envelope {
        let recipients = rcpt.into_iter().map(|rcpt| Path::of_command(rcpt.as_ref())).collect();
        Envelope { sender: Some(Path::of_command(mail)), recipients }
    }

    /// The envelope of a message that is looked at later: whatever the newest signature says is taken for true, and nothing
    /// verified so is evidence.
    pub fn unknown() -> Envelope {
        Envelope::default()
    }

    /// The sender, if it is known.
    pub fn sender(&self) -> Option<&Path> {
        self.sender.as_ref()
    }

    /// The recipients.
    pub fn recipients(&self) -> &[Path] {
        &self.recipients
    }

    /// Whether sender and recipients are known.
    pub fn is_known(&self) -> bool {
        self.sender.is_some() && !self.recipients.is_empty()
    }
}

fn shown(path: &Path) -> String {
    super::failure::printable(path.octets(), limits::DKIM2_SHOWN_OCTETS)
}
