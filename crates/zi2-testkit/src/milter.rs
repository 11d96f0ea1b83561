//! What the milter must do to a message: the part of a case that only the daemon can run whole.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One message on its way through one of the two listeners.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct MilterStep {
    /// Its file, as the MTA hands it over.
    pub message: String,
    /// What is special about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Which listener it comes to.
    pub role: Role,
    /// Who hands it in.
    pub client: Client,
    /// The argument of MAIL FROM, without angle brackets.
    pub mail_from: String,
    /// The arguments of RCPT TO, without angle brackets.
    pub rcpt: Vec<String>,
    /// How the world differs from the case's.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub world: Value,
    /// What the egress side decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why it does not certify, or what the mark at ingress says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What becomes of the message.
    #[serde(default, skip_serializing_if = "Reply::is_accept")]
    pub reply: Reply,
    /// All fields after the edits, from the top.
    pub fields: Vec<After>,
}

/// The two listeners.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mail that goes out.
    Egress,
    /// Mail that comes in.
    Ingress,
}

/// Who hands a message to the MTA.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// An authenticated client (`{auth_authen}`).
    Login(String),
    /// A client that did not authenticate.
    Network(IpAddr),
}

/// What the egress side decides about a message.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It is certified.
    Certify,
    /// It goes out as it is.
    Leave,
    /// It goes out without certification, marked for recipients hosted here.
    Mismatch,
    /// It would be certified, and SMTP cannot carry it unchanged.
    Refuse,
}

/// The reply at the end of the message.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// It goes on.
    #[default]
    Accept,
    /// It is refused for good.
    Reject,
}

impl Reply {
    fn is_accept(&self) -> bool {
        *self == Reply::Accept
    }
}

/// A field after the edits.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(untagged, deny_unknown_fields)]
pub enum After {
    /// One that came with the message: `Name: value`, unchanged.
    Kept(String),
    /// One that we made.
    Ours {
        /// Its name.
        ours: String,
        /// What its value holds, once unfolded.
        holds: Vec<String>,
        /// What it must not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lacks: Vec<String>,
    },
}

impl MilterStep {
    /// Compares the header section after the edits, field by field from the top; names in any letter case, white space as
    /// one space.
    ///
    /// # Errors
    ///
    /// The first difference, in words.
    pub fn check(&self, header: &[(String, String)]) -> Result<(), String> {
        for (at, wanted) in self.fields.iter().enumerate() {
            let Some((name, value)) = header.get(at) else {
                return Err(format!("field {at} is missing: {wanted:?}"));
            };
            wanted.check(name, &unfolded(value)).map_err(|what| format!("field {at}: {what}"))?;
        }
        match header.get(self.fields.len()) {
            Some(surplus) => Err(format!("field {} is too much: {surplus:?}", self.fields.len())),
            None => Ok(()),
        }
    }
}

impl After {
    fn check(&self, name: &str, value: &str) -> Result<(), String> {
        let same = |other: &str| name.eq_ignore_ascii_case(other);
        match self {
            After::Kept(field) => {
                let (wanted, rest) = field.split_once(':').unwrap_or((field, ""));
                let equal = same(wanted) && unfolded(rest) == value;
                if equal { Ok(()) } else { Err(format!("{name}: {value}, not {field}")) }
            }
            After::Ours { ours, holds, lacks } => {
                let missing = holds.iter().find(|text| !value.contains(text.as_str()));
                let surplus = lacks.iter().find(|text| value.contains(text.as_str()));
                match (same(ours), missing, surplus) {
                    (true, None, None) => Ok(()),
                    (false, ..) => Err(format!("{name}: {value}, not a field {ours}")),
                    (_, Some(text), _) => Err(format!("{name}: {value} lacks {text}")),
                    (_, _, Some(text)) => Err(format!("{name}: {value} holds {text}")),
                }
            }
        }
    }
}

fn unfolded(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_found() {
        let step: MilterStep = serde_json::from_value(serde_json::json!({
            "message": "m", "role": "ingress", "client": {"network": "192.0.2.1"}, "mail_from": "", "rcpt": [],
            "fields": [{"ours": "X-A", "holds": ["result=fail"], "lacks": ["pass"]}, "Subject: a b"],
        }))
        .unwrap();
        let check = |fields: &[(&str, &str)]| {
            let fields: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            step.check(&fields).is_ok()
        };
        assert!(check(&[("x-a", " result=fail; x"), ("Subject", "a\r\n b")]));
        for wrong in [
            &[("X-A", "result=fail")][..],
            &[("X-A", "result=fail"), ("Subject", "a c")],
            &[("X-A", "result=fail"), ("Subjects", "a b")],
            &[("X-B", "result=fail"), ("Subject", "a b")],
            &[("X-A", "result=none"), ("Subject", "a b")],
            &[("X-A", "result=fail pass"), ("Subject", "a b")],
            &[("X-A", "result=fail"), ("Subject", "a b"), ("Subject", "a b")],
        ] {
            assert!(!check(wrong), "{wrong:?}");
        }
    }
}
