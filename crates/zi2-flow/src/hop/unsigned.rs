//! Why a message leaves without a DKIM2 signature of ours: a word for log and figures, and what to do about it.

use zi2_mail::DefectKind;
use zi2_sig::dkim2::Refusal;
use zi2_trust::Reason;

/// Why a message is not signed. It is delivered all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dkim2Unsigned {
    /// The header section is malformed, or too large.
    Section,
    /// SMTP would change the message.
    NotSmtp,
    /// There is no key for its domains.
    KeyMissing,
    /// From is not one mailbox of a domain we have a key for.
    From,
    /// The envelope sender is of another domain than From.
    Sender,
    /// A recipient without a domain, or an envelope that is not known as a whole.
    Recipients,
    /// Several recipients, one of whom is hidden from the others.
    Hidden,
    /// Mail of others that has no chain: it is sent on as it is.
    Absent,
    /// Nothing proves that the submitter may use the From domain.
    NotOurs,
    /// It has a chain, and there is nothing to extend it with here.
    HasChain,
    /// The message as it came in is not kept here.
    NoSnapshot,
    /// It did not verify as it came in.
    Unproven,
    /// The hop before did not send it to the domain that sends it on.
    Custody,
    /// Its DKIM2 fields were changed on the way through.
    FieldsChanged,
    /// A change here cannot be put into a recipe.
    NotUndoable,
    /// It is larger than what is kept to be compared.
    TooLarge,
    /// A bounce made here that cannot be read as one.
    BounceReport,
    /// A bounce made here that does not go to whom the returned message came from.
    BounceAddressee,
    /// A bounce made here by another domain than the returned message was sent to.
    BounceDomain,
    /// A fault of ours.
    Internal,
}

impl Dkim2Unsigned {
    /// All of them.
    pub const ALL: [Dkim2Unsigned; 20] = [
        Dkim2Unsigned::Section,
        Dkim2Unsigned::NotSmtp,
        Dkim2Unsigned::KeyMissing,
        Dkim2Unsigned::From,
        Dkim2Unsigned::Sender,
        Dkim2Unsigned::Recipients,
        Dkim2Unsigned::Hidden,
        Dkim2Unsigned::Absent,
        Dkim2Unsigned::NotOurs,
        Dkim2Unsigned::HasChain,
        Dkim2Unsigned::NoSnapshot,
        Dkim2Unsigned::Unproven,
        Dkim2Unsigned::Custody,
        Dkim2Unsigned::FieldsChanged,
        Dkim2Unsigned::NotUndoable,
        Dkim2Unsigned::TooLarge,
        Dkim2Unsigned::BounceReport,
        Dkim2Unsigned::BounceAddressee,
        Dkim2Unsigned::BounceDomain,
        Dkim2Unsigned::Internal,
    ];

    /// The word in log and figures. It is stable: other programs match on it.
    pub fn as_str(self) -> &'static str {
        match self {
            Dkim2Unsigned::Section => "header.syntax",
            Dkim2Unsigned::NotSmtp => "message.not_smtp",
            Dkim2Unsigned::KeyMissing => "key.missing",
            Dkim2Unsigned::From => "dkim2.from",
            Dkim2Unsigned::Sender => "dkim2.sender",
            Dkim2Unsigned::Recipients => "dkim2.recipients",
            Dkim2Unsigned::Hidden => "dkim2.hidden_recipients",
            Dkim2Unsigned::Absent => "dkim2.absent",
            Dkim2Unsigned::NotOurs => "dkim2.not_ours",
            Dkim2Unsigned::HasChain => "dkim2.has_chain",
            Dkim2Unsigned::NoSnapshot => "dkim2.no_snapshot",
            Dkim2Unsigned::Unproven => "dkim2.unproven",
            Dkim2Unsigned::Custody => "dkim2.custody",
            Dkim2Unsigned::FieldsChanged => "dkim2.fields_changed",
            Dkim2Unsigned::NotUndoable => "dkim2.not_undoable",
            Dkim2Unsigned::TooLarge => "dkim2.too_large",
            Dkim2Unsigned::BounceReport => "bounce.report",
            Dkim2Unsigned::BounceAddressee => "bounce.addressee",
            Dkim2Unsigned::BounceDomain => "bounce.domain",
            Dkim2Unsigned::Internal => "internal.error",
        }
    }

    /// What it means and what to do, in a sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Dkim2Unsigned::Section => "the header section is malformed or too large: mend the program that wrote it",
            Dkim2Unsigned::NotSmtp => "the body has octets that SMTP changes: mend the program that wrote it",
            Dkim2Unsigned::KeyMissing => {
                "no key of a domain at or above that of the sender: zi2-cert keygen --dkim --domain DOMAIN"
            }
            Dkim2Unsigned::From => {
                "From is not one mailbox of a domain with a key here; a list keeps From, or writes its own"
            }
            Dkim2Unsigned::Sender => {
                "the envelope sender is of another domain than the one that signs: send with one of that domain"
            }
            Dkim2Unsigned::Recipients => {
                "a recipient has no domain, or the envelope is too long: let Postfix complete addresses"
            }
            Dkim2Unsigned::Hidden => {
                "a signature would name a blind recipient to the others: sign one recipient at a time, as zi2-cert setup postfix \
                 prints, or set dkim2.hidden_recipients"
            }
            Dkim2Unsigned::Absent => "mail of others without DKIM2 is sent on as it is: nothing is to be done",
            Dkim2Unsigned::NotOurs => {
                "nothing proves that the sender may use the From domain: mail of ours must pass the egress listener first, and \
                 come back by the service named ORIGINATING"
            }
            Dkim2Unsigned::HasChain => {
                "it is signed with DKIM2 already; mail that is sent on belongs to dkim2.listen, with dkim2.forward"
            }
            Dkim2Unsigned::NoSnapshot => {
                "it is not kept as it came in: either it did not verify then (see dkim2= in the line of its arrival), or a \
                 program has removed its X-ZI2-Snapshot field, or dkim2.forward was not set, or it is older than dkim2.snapshot_expiry"
            }
            Dkim2Unsigned::Unproven => {
                "its chain did not verify as it came in, so nothing can be added to it: the sender's side can mend it"
            }
            Dkim2Unsigned::Custody => {
                "it was sent to another domain than the one that sends it on: let the forwarder rewrite the envelope sender to the \
                 domain of the first recipient, or have a key for that domain here"
            }
            Dkim2Unsigned::FieldsChanged => {
                "a program here has changed or removed DKIM2 fields: keep them as they came"
            }
            Dkim2Unsigned::NotUndoable => {
                "the change made here does not fit a recipe: wrap the original instead of editing it"
            }
            Dkim2Unsigned::TooLarge => {
                "it is larger than what is compared here, too many are under way, or its recipients or the change made here \
                 need more than a header field holds"
            }
            Dkim2Unsigned::BounceReport => {
                "a bounce made here is no report that can be read, or the message does not come back in it"
            }
            Dkim2Unsigned::BounceAddressee => {
                "a bounce made here does not go to the sender of the newest signature: nothing is to be done"
            }
            Dkim2Unsigned::BounceDomain => {
                "a bounce is signed as the domain that the message was sent to, which must be that of From, or above: set myorigin to \
                 that domain; bounces of mail that was sent from here are not signed"
            }
            Dkim2Unsigned::Internal => "a fault of zi2: tell its authors",
        }
    }
}

impl Dkim2Unsigned {
    /// What a message that was not let out as its author's mail is called here.
    pub fn of_departure(reason: Reason) -> Dkim2Unsigned {
        match reason {
            Reason::TenantLoginMismatch => Dkim2Unsigned::NotOurs,
            Reason::HeaderDuplicate | Reason::HeaderFromAmbiguous => Dkim2Unsigned::From,
            Reason::HeaderSyntax => Dkim2Unsigned::Section,
            _ => Dkim2Unsigned::Internal,
        }
    }
}

impl From<&Refusal> for Dkim2Unsigned {
    fn from(refusal: &Refusal) -> Dkim2Unsigned {
        match refusal {
            Refusal::Section(DefectKind::TooLarge | DefectKind::TooManyFields) => Dkim2Unsigned::TooLarge,
            Refusal::Section(_) => Dkim2Unsigned::Section,
            Refusal::NotSmtp(_) => Dkim2Unsigned::NotSmtp,
            Refusal::AlreadySigned => Dkim2Unsigned::HasChain,
            Refusal::From(_) => Dkim2Unsigned::From,
            Refusal::Sender(_) => Dkim2Unsigned::Sender,
            Refusal::Recipients => Dkim2Unsigned::Recipients,
            Refusal::Custody(_) => Dkim2Unsigned::Custody,
            Refusal::NotTheSnapshot => Dkim2Unsigned::Unproven,
            Refusal::FieldsChanged => Dkim2Unsigned::FieldsChanged,
            Refusal::NotUndoable(_) | Refusal::BodyNotUndoable => Dkim2Unsigned::NotUndoable,
            Refusal::Key => Dkim2Unsigned::KeyMissing,
            // § -08 12 of settings and of our own making.
            Refusal::ExplodedAtOrigin | Refusal::SelfCheck | Refusal::Unusable(_) | Refusal::Field(_) => {
                Dkim2Unsigned::Internal
            }
        }
    }
}
