//! DNS as plain data: for `--world`, tests and vectors. It asks nobody.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_resolver::proto::op::{Edns, Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};
use zi2_sig::Trouble;
use zi2_trust::Dnssec;

use super::answer::Kind;
use super::walk::{Reply, bogus_option};

/// All of DNS. A name that is not in it does not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixedDns {
    nodes: BTreeMap<String, FixedNode>,
}

/// What stands at one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixedNode {
    /// TXT records, each a list of strings.
    pub txt: Vec<Vec<String>>,
    /// IPv4 addresses.
    pub a: Vec<Ipv4Addr>,
    /// IPv6 addresses.
    pub aaaa: Vec<Ipv6Addr>,
    /// Mail exchangers, in order of preference.
    pub mx: Vec<String>,
    /// Name servers.
    pub ns: Vec<String>,
    /// Names of an address, at its name below in-addr.arpa or ip6.arpa.
    pub ptr: Vec<String>,
    /// Where the name leads.
    pub cname: Option<String>,
    /// What a server would say.
    pub status: FixedStatus,
    /// What a validating resolver would say.
    pub dnssec: Dnssec,
}

/// The outcome of asking for a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FixedStatus {
    /// The records, if there are any.
    NoError,
    /// The name does not exist.
    NxDomain,
    /// The servers fail.
    ServFail,
    /// Nobody answers.
    Timeout,
}

impl FixedDns {
    /// An empty world.
    #[must_use]
    pub fn new() -> FixedDns {
        FixedDns { nodes: BTreeMap::new() }
    }

    /// The world with a name in it, in any letter case, with or without its final dot. A later node replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: &str, node: FixedNode) -> FixedDns {
        self.nodes.insert(key(name), node);
        self
    }

    /// What a server would reply, one CNAME at a time.
    pub(crate) fn ask(&self, name: &Name, kind: Kind) -> Result<Reply, Trouble> {
        let mut message = Message::response(0, OpCode::Query);
        let mut dnssec = Dnssec::Insecure;
        match self.nodes.get(&key(&name.to_ascii())) {
            None => message.metadata.response_code = ResponseCode::NXDomain,
            Some(node) => {
                dnssec = node.dnssec;
                node.reply(name, kind, &mut message)?;
            }
        }
        Ok(Reply { message, dnssec })
    }
}

impl Default for FixedDns {
    fn default() -> FixedDns {
        FixedDns::new()
    }
}

/// TTL of every record here; nothing looks at it.
const TTL: u32 = 300;

impl FixedNode {
    /// A name without records.
    #[must_use]
    pub fn empty() -> FixedNode {
        FixedNode {
            txt: Vec::new(),
            a: Vec::new(),
            aaaa: Vec::new(),
            mx: Vec::new(),
            ns: Vec::new(),
            ptr: Vec::new(),
            cname: None,
            status: FixedStatus::NoError,
            dnssec: Dnssec::Insecure,
        }
    }

    /// A name with TXT records of one string each.
    #[must_use]
    pub fn of_txt(records: &[&str]) -> FixedNode {
        FixedNode { txt: records.iter().map(|text| vec![(*text).to_owned()]).collect(), ..FixedNode::empty() }
    }

    /// A name that is an alias.
    #[must_use]
    pub fn alias(target: &str) -> FixedNode {
        FixedNode { cname: Some(target.to_owned()), ..FixedNode::empty() }
    }

    /// A name that answers so.
    #[must_use]
    pub fn of_status(status: FixedStatus) -> FixedNode {
        FixedNode { status, ..FixedNode::empty() }
    }

    fn reply(&self, name: &Name, kind: Kind, message: &mut Message) -> Result<(), Trouble> {
        message.metadata.response_code = match self.status {
            FixedStatus::Timeout => return Err(Trouble::Timeout),
            FixedStatus::ServFail => ResponseCode::ServFail,
            FixedStatus::NxDomain => ResponseCode::NXDomain,
            FixedStatus::NoError => ResponseCode::NoError,
        };
        if self.dnssec == Dnssec::Bogus {
            message.metadata.response_code = ResponseCode::ServFail;
            let mut edns = Edns::new();
            edns.options_mut().options.push(bogus_option());
            message.set_edns(edns);
        }
        if message.metadata.response_code == ResponseCode::NoError {
            let alias = self.cname.iter().map(|target| RData::CNAME(CNAME(host(target))));
            let data = if self.cname.is_some() { alias.collect() } else { self.data(kind) };
            message.add_answers(data.into_iter().map(|data| Record::from_rdata(name.clone(), TTL, data)));
        }
        Ok(())
    }

    fn data(&self, kind: Kind) -> Vec<RData> {
        match kind {
            Kind::Txt => self.txt.iter().map(|strings| RData::TXT(TXT::new(strings.clone()))).collect(),
            Kind::A => self.a.iter().map(|address| RData::A(A(*address))).collect(),
            Kind::Aaaa => self.aaaa.iter().map(|address| RData::AAAA(AAAA(*address))).collect(),
            Kind::Mx => {
                (1..).zip(&self.mx).map(|(preference, name)| RData::MX(MX::new(preference, host(name)))).collect()
            }
            Kind::Ptr => self.ptr.iter().map(|name| RData::PTR(PTR(host(name)))).collect(),
            Kind::Ns => self.ns.iter().map(|name| RData::NS(NS(host(name)))).collect(),
        }
    }
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The name; the root for what is none, which exists nowhere here.
fn host(name: &str) -> Name {
    let mut host = Name::from_ascii(name).unwrap_or_else(|_| Name::root());
    host.set_fqdn(true);
    host
}
