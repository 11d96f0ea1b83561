//! mail-auth's verdicts over many messages, for `dev/peers/dkim`. Reads lines of JSON `{"message": base64, "now": seconds,
//! "dns": {name: [txt, ...]}}`, writes for each a line with a JSON list of verdicts. It asks nobody: what the line does not
//! hold does not exist. mail-auth takes the time from the clock.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::error::Error;
use std::hash::Hash;
use std::io::BufRead;
use std::time::Instant;

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_auth::dkim::DomainKey;
use mail_auth::dns::TxtRecordParser;
use mail_auth::{
    AuthenticatedMessage, DkimResult, DnsCache, MessageAuthenticator, NoCache, Parameters, ResolverCache, TxtRecord,
};

#[derive(serde::Deserialize)]
struct Line {
    message: String,
    dns: HashMap<String, Vec<String>>,
}

/// All of DNS.
struct World(HashMap<Box<str>, TxtRecord>);

impl World {
    fn of(dns: &HashMap<String, Vec<String>>) -> World {
        let record = |texts: &Vec<String>| TxtRecord::from(DomainKey::parse(texts.concat().as_bytes()));
        World(dns.iter().map(|(name, texts)| (format!("{name}.").into(), record(texts))).collect())
    }
}

impl ResolverCache<Box<str>, TxtRecord> for World {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
    {
        let nothing = || TxtRecord::Error(mail_auth::Error::Io("no such name".to_owned()));
        Some(self.0.get(name).cloned().unwrap_or_else(nothing))
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: TxtRecord, _: Instant) {}
}

impl DnsCache for World {
    type Txt = World;
    type Mx = NoCache;
    type Ipv4 = NoCache;
    type Ipv6 = NoCache;
    type Ptr = NoCache;

    fn txt(&self) -> Option<&World> {
        Some(self)
    }

    fn mx(&self) -> Option<&NoCache> {
        None
    }

    fn ipv4(&self) -> Option<&NoCache> {
        None
    }

    fn ipv6(&self) -> Option<&NoCache> {
        None
    }

    fn ptr(&self) -> Option<&NoCache> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let authenticator = runtime.block_on(async { MessageAuthenticator::new_quad9() })?;
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let octets = STANDARD.decode(&line.message)?;
        let verdicts = runtime.block_on(verdicts(&authenticator, &octets, &World::of(&line.dns)));
        println!("{}", serde_json::to_string(&verdicts)?);
    }
    Ok(())
}

async fn verdicts(authenticator: &MessageAuthenticator, octets: &[u8], world: &World) -> Vec<String> {
    let Some(message) = AuthenticatedMessage::parse(octets) else { return Vec::new() };
    let outputs = authenticator.verify_dkim(Parameters::new(&message).with_cache(world)).await;
    outputs.iter().map(|output| word(output.result())).collect()
}

fn word(result: &DkimResult) -> String {
    match result {
        DkimResult::Pass => "pass".to_owned(),
        DkimResult::None => "none".to_owned(),
        DkimResult::Neutral(why) => format!("neutral {why}"),
        DkimResult::Fail(why) => format!("fail {why}"),
        DkimResult::PermError(why) => format!("permerror {why}"),
        DkimResult::TempError(why) => format!("temperror {why}"),
    }
}
