//! What an operator should know although nothing is wrong.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zi2_mail::Domain;

use crate::listen::Listen;
use crate::place::Place;

/// Something worth a line in the log at start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// There is no main file.
    NoFile(Arc<Path>),
    /// A file of `conf.d` with another ending.
    NotToml(PathBuf),
    /// Egress without hosted domains.
    NothingHosted,
    /// A listener others can reach.
    BeyondHost(&'static str, Listen),
    /// The key file of the product page.
    ProductKey(PathBuf),
    /// Trusted sealers, and a chain that is not evaluated.
    SealersUnused,
    /// A setting of DKIM2, and why it does nothing.
    Dkim2Unused(&'static str, &'static str),
    /// Rules about domains that are not hosted.
    NotHosted {
        /// The first of them.
        place: Place,
        /// Its domain or address.
        target: String,
        /// How many more the file has.
        more: usize,
    },
    /// Lines of a SigningTable whose key is of another domain.
    NotAligned {
        /// The first of them.
        place: Place,
        /// The key's domain.
        domain: Domain,
        /// How many more the file has.
        more: usize,
    },
    /// Lines of a Postfix table that say nothing about a domain.
    NotImported {
        /// The first of them.
        place: Place,
        /// How many more the file has.
        more: usize,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::NoFile(path) => {
                write!(f, "{}: there is no such file; defaults and environment are all there is", path.display())
            }
            Notice::NotToml(path) => write!(f, "{}: not read, since its name does not end in .toml", path.display()),
            Notice::NothingHosted => {
                f.write_str("server.hosted: no domain is hosted here, so nothing will be certified; name your domains")
            }
            Notice::BeyondHost(setting, listen) => write!(
                f,
                "{setting}: {listen} can be reached from other hosts; whoever reaches it can use it, so let a firewall \
                 keep them out"
            ),
            Notice::ProductKey(path) => write!(
                f,
                "keys.dir: it holds no key, so {} is used; move it there as KID.key when you can",
                path.display()
            ),
            Notice::SealersUnused => f.write_str(
                "chain.trusted_sealers: nobody is believed while chain.mode is off; set it to mark or evaluate",
            ),
            Notice::Dkim2Unused(setting, why) => write!(f, "{setting}: it does nothing, since {why}"),
            Notice::NotHosted { place, target, more } => write!(
                f,
                "{place}: {target} is not hosted here, so the rule allows nothing{}; add it to server.hosted, or remove it",
                and_more(*more)
            ),
            Notice::NotAligned { place, domain, more } => write!(
                f,
                "{place}: the key's domain {domain} is neither that of the pattern nor above it, so DMARC would not count the \
                 signature and none is made{}",
                and_more(*more)
            ),
            Notice::NotImported { place, more } => write!(
                f,
                "{place}: not imported, since it names no login, or neither a domain nor a full address{}",
                and_more(*more)
            ),
        }
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more of this file)") }
}
