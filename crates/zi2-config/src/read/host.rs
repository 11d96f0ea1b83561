//! The full name of this host, as `hostname -f` mostly finds it: the kernel's name, or its first full name in `/etc/hosts`.
//!
//! Asks no resolver: a name that comes and goes with the network is no name to certify with.

use std::path::Path;
use std::sync::Arc;

use zi2_mail::HostName;

use super::{Content, Paths, read_text};
use crate::limits;
use crate::problem::Fault;

/// The name. Refuses short names and those no public host has.
pub(crate) fn full_name(paths: &Paths) -> Result<HostName, Fault> {
    let kernel = text(&paths.host_name);
    let short = kernel.trim();
    let found = if short.contains('.') { short.to_owned() } else { in_hosts(&text(&paths.hosts), short) };
    let refuse = |why: String| Fault::NoHostName { found: found.clone(), why };
    let name = HostName::parse(&found).map_err(|error| refuse(error.to_string()))?;
    // What installers write for hosts nobody named.
    if name.as_str().ends_with(".localdomain") {
        return Err(refuse("names under localdomain name no public host".to_owned()));
    }
    Ok(name)
}

fn text(path: &Path) -> String {
    match read_text(&Arc::from(path), limits::FILE_OCTETS) {
        Ok(Content::Text(text)) => text,
        _ => String::new(),
    }
}

/// § hosts(5): an address, the canonical name, aliases.
fn in_hosts(hosts: &str, short: &str) -> String {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let names = |line: &'_ str| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let full = lines.map(names).filter(|names| names.iter().any(|name| name.eq_ignore_ascii_case(short)));
    full.flatten().find(|name| name.contains('.')).unwrap_or_else(|| short.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_the_full_name() {
        let hosts = "127.0.0.1 localhost\n# 192.0.2.9 mail.wrong.example mail\n127.0.1.1\tMail.Example.com mail # me\n";
        assert_eq!(in_hosts(hosts, "mail"), "Mail.Example.com");
        assert_eq!(in_hosts(hosts, "other"), "other");
    }
}
