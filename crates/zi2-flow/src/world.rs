//! The whole outside world as one JSON file (`--world`): clock, envelope, DNS, HTTPS, keys and past, so that any verdict can
//! be reproduced without a network.
//!
//! | key | meaning; absent, it is empty unless another value is said |
//! |---|---|
//! | `now` | the clock in Unix seconds; must be there |
//! | `rcpt` | envelope recipients |
//! | `client_ip`, `helo`, `mail_from` | the SMTP client; without an address SPF is not evaluated |
//! | `origin` | `outside` (if absent), or `local`: certified in this transaction |
//! | `dns` | by name, without a final dot: `txt` (lists of strings), `a`, `aaaa`, `mx`, `ns`, `ptr`, `cname`, `status`, `dnssec`; a name that is absent does not exist |
//! | `https` | by host: the document at its `/.well-known/zi2-cert.json` |
//! | `hosted` | domains hosted here |
//! | `trusted_sealers` | sealers of ARC whose word counts (`chain.trusted_sealers`) |
//! | `local_keys`, `exchanged` | keys, each with `sid`, `kid`, `p` |
//! | `history` | rows: `domain`, `sid`, `kid`, `p`, `valid`, `days`, `first_seen`, `last_seen` |

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde::de::Error as _;
use zi2_config::HostedDomains;
use zi2_keys::{Documents, FixedDns, FixedNode, FixedStatus};
use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{KeyDocument, Kid, PublicKey, dkim2};
use zi2_trust::{Dnssec, Held, KeyHistory, Submission, TrustedSealers};

use crate::Client;

/// A world.
#[derive(Clone, Debug)]
pub struct World {
    /// The clock.
    pub now: Timestamp,
    /// Envelope recipients, as typed.
    pub recipients: Vec<String>,
    /// The envelope for DKIM2; not known where the world does not name a sender.
    pub envelope: dkim2::Envelope,
    /// The SMTP client.
    pub client: Client,
    /// How the message reached us.
    pub submission: Submission,
    /// All of DNS.
    pub dns: FixedDns,
    /// All key documents.
    pub documents: Documents,
    /// Domains hosted here.
    pub hosted: HostedDomains,
    /// Sealers of ARC whose word counts.
    pub sealers: TrustedSealers,
    /// Our own keys.
    pub local_keys: Vec<Held>,
    /// Keys held from direct exchange.
    pub exchanged: Vec<Held>,
    /// What was seen before.
    pub history: Vec<KeyHistory>,
}

/// Why a text is no world.
#[derive(Debug, thiserror::Error)]
#[error("the world file cannot be read: {0}")]
pub struct WorldError(#[from] serde_json::Error);

impl World {
    /// Reads a world. A name, key or address that cannot be what it stands for refuses the whole file.
    pub fn parse(json: &[u8]) -> Result<World, WorldError> {
        let wire: Wire = serde_json::from_slice(json)?;
        let held = |keys: Vec<WireKey>| keys.into_iter().map(WireKey::held).collect::<Result<Vec<_>, _>>();
        Ok(World {
            now: Timestamp::from_secs(wire.now),
            envelope: wire
                .mail_from
                .as_ref()
                .map_or_else(dkim2::Envelope::unknown, |sender| dkim2::Envelope::of(sender.as_bytes(), &wire.rcpt)),
            recipients: wire.rcpt,
            client: Client {
                address: wire.client_ip,
                helo: wire.helo.into_bytes(),
                mail_from: wire.mail_from.unwrap_or_default().into_bytes(),
            },
            submission: wire.origin.into(),
            dns: wire.dns.into_iter().fold(FixedDns::new(), |dns, (name, node)| dns.with(&name, node.into())),
            documents: documents(wire.https)?,
            hosted: HostedDomains::new(domains(&wire.hosted)?),
            sealers: TrustedSealers::new(domains(&wire.trusted_sealers)?),
            local_keys: held(wire.local_keys)?,
            exchanged: held(wire.exchanged)?,
            history: wire.history.into_iter().map(WireHistory::row).collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    now: u64,
    #[serde(default)]
    rcpt: Vec<String>,
    client_ip: Option<IpAddr>,
    #[serde(default)]
    helo: String,
    mail_from: Option<String>,
    #[serde(default)]
    origin: WireOrigin,
    #[serde(default)]
    dns: BTreeMap<String, WireName>,
    #[serde(default)]
    https: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    hosted: Vec<String>,
    #[serde(default)]
    trusted_sealers: Vec<String>,
    #[serde(default)]
    local_keys: Vec<WireKey>,
    #[serde(default)]
    exchanged: Vec<WireKey>,
    #[serde(default)]
    history: Vec<WireHistory>,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum WireOrigin {
    #[default]
    Outside,
    Local,
}

impl From<WireOrigin> for Submission {
    fn from(origin: WireOrigin) -> Submission {
        match origin {
            WireOrigin::Outside => Submission::Outside,
            WireOrigin::Local => Submission::Here,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireName {
    txt: Vec<Vec<String>>,
    a: Vec<Ipv4Addr>,
    aaaa: Vec<Ipv6Addr>,
    mx: Vec<String>,
    ns: Vec<String>,
    ptr: Vec<String>,
    cname: Option<String>,
    status: WireStatus,
    dnssec: WireDnssec,
}

#[derive(Deserialize, Clone, Copy, Default)]
enum WireStatus {
    #[default]
    #[serde(rename = "NOERROR")]
    NoError,
    #[serde(rename = "NXDOMAIN")]
    NxDomain,
    #[serde(rename = "SERVFAIL")]
    ServFail,
    #[serde(rename = "TIMEOUT")]
    Timeout,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum WireDnssec {
    Secure,
    #[default]
    Insecure,
    Bogus,
}

impl From<WireName> for FixedNode {
    fn from(wire: WireName) -> FixedNode {
        FixedNode {
            txt: wire.txt,
            a: wire.a,
            aaaa: wire.aaaa,
            mx: wire.mx,
            ns: wire.ns,
            ptr: wire.ptr,
            cname: wire.cname,
            status: match wire.status {
                WireStatus::NoError => FixedStatus::NoError,
                WireStatus::NxDomain => FixedStatus::NxDomain,
                WireStatus::ServFail => FixedStatus::ServFail,
                WireStatus::Timeout => FixedStatus::Timeout,
            },
            dnssec: match wire.dnssec {
                WireDnssec::Secure => Dnssec::Secure,
                WireDnssec::Insecure => Dnssec::Insecure,
                WireDnssec::Bogus => Dnssec::Bogus,
            },
        }
    }
}

#[derive(Deserialize)]
struct WireKey {
    sid: Option<String>,
    kid: String,
    p: String,
}

impl WireKey {
    fn held(self) -> Result<Held, WorldError> {
        let sid = self.sid.map(|sid| parsed(&sid, HostName::parse)).transpose()?;
        Ok(Held {
            sid,
            kid: parsed(&self.kid, Kid::parse)?,
            key: parsed(&self.p, |p| PublicKey::from_base64(p.as_bytes()))?,
        })
    }
}

#[derive(Deserialize)]
struct WireHistory {
    domain: String,
    sid: String,
    kid: String,
    p: String,
    valid: u64,
    days: u32,
    first_seen: u64,
    last_seen: u64,
}

impl WireHistory {
    fn row(self) -> Result<KeyHistory, WorldError> {
        Ok(KeyHistory {
            domain: parsed(&self.domain, Domain::parse)?,
            key: parsed(&self.p, |p| PublicKey::from_base64(p.as_bytes()))?,
            sid: parsed(&self.sid, HostName::parse)?,
            kid: parsed(&self.kid, Kid::parse)?,
            valid: self.valid,
            days: self.days,
            first_seen: Timestamp::from_secs(self.first_seen),
            last_seen: Timestamp::from_secs(self.last_seen),
        })
    }
}

fn domains(texts: &[String]) -> Result<Vec<Domain>, WorldError> {
    texts.iter().map(|text| parsed(text, Domain::parse)).collect()
}

/// A document that the parser refuses is one that a fetch would have refused: the host serves none.
fn documents(https: BTreeMap<String, serde_json::Value>) -> Result<Documents, WorldError> {
    let mut served = BTreeMap::new();
    for (host, json) in https {
        if let Ok(document) = KeyDocument::parse(&serde_json::to_vec(&json)?) {
            served.insert(parsed(&host, Domain::parse)?, document);
        }
    }
    Ok(Documents::Fixed(served))
}

fn parsed<T, E: std::fmt::Display>(text: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, WorldError> {
    parse(text).map_err(|e| WorldError(serde_json::Error::custom(format_args!("{text:?}: {e}"))))
}
