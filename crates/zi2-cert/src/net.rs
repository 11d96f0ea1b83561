//! The runtime and the resolver of commands that ask DNS.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::runtime::{Builder, Runtime};
use zi2_config::Config;
use zi2_keys::{DnsOptions, Resolver, Servers};

use crate::{Exit, Trouble, input, settings};

/// Whom to ask.
#[derive(clap::Args, Debug)]
pub(crate) struct Ask {
    /// Ask this name server [default: those of the configuration, or else of the system]
    #[arg(long, global = true, value_name = "IP:PORT", value_parser = address, conflicts_with = "world")]
    pub(crate) server: Option<SocketAddr>,
    /// Read the whole outside world from this JSON file instead of asking the network
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
}

impl Ask {
    /// The resolver.
    pub(crate) fn resolver(&self, config: &Config) -> Result<Resolver, Trouble> {
        if let Some(path) = &self.world {
            return Ok(Resolver::fixed(input::world(path)?.dns));
        }
        let mut options: DnsOptions = settings::dns_options(config);
        if let Some(server) = self.server {
            options.servers = Servers::These(vec![server]);
        }
        Resolver::new(&options)
            .map_err(|error| Trouble::new(Exit::TempFail, error, "Check /etc/resolv.conf or [dns] servers."))
    }
}

/// A runtime for everything this process asks.
pub(crate) fn runtime() -> Result<Runtime, Trouble> {
    built(Builder::new_multi_thread().worker_threads(2))
}

/// A runtime with a thread for each processor.
pub(crate) fn wide_runtime() -> Result<Runtime, Trouble> {
    built(&mut Builder::new_multi_thread())
}

fn built(builder: &mut Builder) -> Result<Runtime, Trouble> {
    let runtime = builder.enable_all().build();
    runtime.map_err(|error| {
        let what = format!("the system gives no threads or sockets: {error}");
        Trouble::new(Exit::TempFail, what, "Check the limits of this session (ulimit -a), and try again.")
    })
}

/// An address with or without the port of DNS.
fn address(text: &str) -> Result<SocketAddr, String> {
    const DNS_PORT: u16 = 53;
    let bare = text.parse().map(|ip| SocketAddr::new(ip, DNS_PORT));
    text.parse()
        .or(bare)
        .map_err(|_| "write an IP address, with or without a port: 127.0.0.1:53 or [::1]:53".to_owned())
}
