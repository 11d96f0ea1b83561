//! A case as its `case.json` says it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::MilterStep;

/// One case. Refuses unknown keys, so that a misspelt expectation cannot go unnoticed.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its number, `TC-001`; also the name of its folder.
    pub id: String,
    /// What arrives.
    pub title: String,
    /// The attack or mishap it stands for.
    pub attack: String,
    /// How the expectation follows from the protocol page, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What of the case cannot be checked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
    /// How its world differs from `zone.json`: a JSON merge patch (RFC 7386).
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub world: Value,
    /// Whether the steps happen one after another at the same host, or each in a world of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_sequence: bool,
    /// Messages that arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The history after the last step, in the order of domain and key; only for steps in sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<Row>>,
    /// What the milter does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milter: Vec<MilterStep>,
    /// The sender map of the egress side, in zi2's own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub senders: Option<String>,
}

/// One message that arrives.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its file.
    pub message: String,
    /// What is special about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// How the world differs from the case's.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub world: Value,
    /// What DMARC says of it; not evaluated if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Dmarc>,
    /// Whether its nonce stands in the log of issued nonces when it arrives.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub issued: bool,
    /// The verdict.
    pub expect: Expect,
}

/// DMARC's result.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Dmarc {
    /// The From domain is aligned.
    Pass,
    /// It is not.
    Fail,
}

/// What must come out.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The result word.
    pub result: String,
    /// The reason code.
    pub reason: String,
    /// The level.
    pub level: u8,
    /// The mark.
    pub spoof: String,
    /// The From domain the verdict speaks of.
    #[serde(default, skip_serializing_if = "Author::is_any", deserialize_with = "author")]
    pub d: Author,
    /// The standing before this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Whether the server's name is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid_confirmed: Option<bool>,
    /// Whether it is reported as seen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
    /// What the signature must not be said to cover.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_covered: Vec<String>,
    /// The questions it may cost at most.
    pub dns_queries: u32,
    /// What the report says of the existing chain, at least: a part of its `dkim`, `arc`, `spf` and `dmarc`. Lists in full.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub chain: Value,
    /// Texts that no header field and no report of ours may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// The exit code of the command, where it is not the result's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
}

/// An expectation about the author.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(untagged)]
pub enum Author {
    /// None: the key is absent.
    #[default]
    #[serde(skip)]
    Any,
    /// `null`: nobody may be named.
    Nobody,
    /// This domain.
    Domain(String),
}

impl Author {
    fn is_any(&self) -> bool {
        *self == Author::Any
    }
}

fn author<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Author, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map_or(Author::Nobody, Author::Domain))
}

/// One row of history.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The From domain.
    pub domain: String,
    /// The public key.
    pub p: String,
    /// Valid certifications.
    pub valid: u64,
    /// Days on which there was one.
    pub days: u32,
}
