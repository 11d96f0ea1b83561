//! Words for what the libraries found, where their own do not say it exactly enough.

use zi2_sig::{FIELD_NAME, Failure, SyntaxFault, Trouble};
use zi2_trust::Reason;

/// What exactly broke a check, in words. Names of fields are ours, not the sender's.
pub(crate) fn failure_detail(failure: &Failure) -> String {
    match failure {
        Failure::Syntax(SyntaxFault::Section(kind, offset)) => {
            format!("the header section is malformed at octet {offset} ({kind:?})")
        }
        Failure::Syntax(SyntaxFault::Field(name)) => format!("the field {name} is not what RFC 5322 allows"),
        Failure::Syntax(SyntaxFault::Control(name)) => format!("{name} holds a control octet"),
        Failure::Syntax(SyntaxFault::Certified(what)) => format!("the field {FIELD_NAME} is malformed: {what}"),
        Failure::Syntax(SyntaxFault::Tag(name)) => format!("its tag {name}= is missing or malformed"),
        Failure::Duplicate(name) => format!("the field {name} appears twice"),
        Failure::MissingField(name) => format!("the field {name} is missing"),
        Failure::Uncovered(name) => format!("h= does not name {name}"),
        other => Reason::from(other).explanation().admins.to_owned(),
    }
}

/// Why DNS gave no answer.
pub(crate) fn no_answer(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Timeout => "no answer in time",
        Trouble::ServFail => "the name servers failed (SERVFAIL)",
        Trouble::Bogus => "the answer failed DNSSEC validation",
    }
}
