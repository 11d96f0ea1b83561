//! The zone Z0 that all cases share.

use serde_json::{Value, json};

use crate::{KID, NOW, public, record};

/// The world: good.example and evil.example publish their own keys, and each server its own; recv.example is us;
/// list.example and relay.example only seal with ARC.
pub fn zone() -> Value {
    let mut dns = serde_json::Map::new();
    for (owner, address) in [("good", "192.0.2.10"), ("evil", "198.51.100.66")] {
        let domain = format!("{owner}.example");
        let mut put = |name: String, txt: String| dns.insert(name, json!({"txt": [[txt]]}));
        put(format!("_zi2cert.{domain}"), record(owner, KID));
        put(format!("_zi2cert.mx.{domain}"), record(owner, KID));
        put(domain.clone(), format!("v=spf1 ip4:{address} -all"));
        put(format!("_dmarc.{domain}"), "v=DMARC1; p=reject".to_owned());
        let dkim = public(&format!("{owner} dkim"));
        put(format!("s1._domainkey.{domain}"), format!("v=DKIM1; k=ed25519; p={dkim}"));
        dns.insert(format!("mx.{domain}"), json!({"a": [address]}));
    }
    for handler in ["list", "relay"] {
        let record = format!("v=DKIM1; k=ed25519; p={}", public(&format!("{handler} dkim")));
        dns.insert(format!("s1._domainkey.{handler}.example"), json!({"txt": [[record]]}));
    }
    json!({
        "now": NOW,
        "authserv_id": "mx.recv.example",
        "client": "192.0.2.10",
        "mail_from": "ann@good.example",
        "rcpt": ["bob@recv.example"],
        "hosted": ["recv.example"],
        "dns": dns,
    })
}
