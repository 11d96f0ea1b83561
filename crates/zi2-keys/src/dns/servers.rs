//! Asking name servers: which one, over UDP or TCP, and whether to believe it. What a message means is decided in `walk`.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Message, Query};
use hickory_resolver::proto::rr::Name;
use zi2_sig::Trouble;
use zi2_trust::Dnssec;

use super::answer::Kind;
use super::walk::{Reply, refusal};
use crate::limits;

/// Whether a server's AD bit (RFC 4035 §3.2.3) counts as proof that it validated the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrustAd {
    /// From a server on a loopback address, where nobody can change the bit on the way.
    Loopback,
    /// From every server: for a network the operator trusts.
    Always,
    /// Never.
    Never,
}

/// The name servers, each a recursive resolver. They are tried in turn, beginning with the one that answered last.
// hickory's `Resolver` is not used: it hides the AD bit, extended errors and the server that answered, and caches besides us.
pub(crate) struct NameServers {
    addresses: Vec<SocketAddr>,
    preferred: AtomicUsize,
    time: Duration,
    trust_ad: TrustAd,
    asked: AtomicU64,
    provider: TokioRuntimeProvider,
}

impl NameServers {
    pub(crate) fn new(mut addresses: Vec<SocketAddr>, time: Duration, trust_ad: TrustAd) -> NameServers {
        addresses.truncate(limits::SERVERS);
        let (preferred, asked) = (AtomicUsize::new(0), AtomicU64::new(0));
        NameServers { addresses, preferred, time, trust_ad, asked, provider: TokioRuntimeProvider::new() }
    }

    /// Questions sent, resends of a datagram not counted.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The first usable reply. A server that cannot answer is passed over, but not one that calls the answer bogus.
    pub(crate) async fn ask(&self, name: Name, kind: Kind) -> Result<Reply, Trouble> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut worst = Trouble::Timeout;
        for (at, address) in self.addresses.iter().enumerate().cycle().skip(first).take(self.addresses.len()) {
            match self.ask_one(*address, &name, kind).await {
                Ok(message) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(Reply { dnssec: self.dnssec(*address, &message), message });
                }
                // security.md R9: the next server may not validate, and would be believed
                Err(Trouble::Bogus) => return Err(Trouble::Bogus),
                Err(trouble) => worst = worst.max(trouble),
            }
        }
        Err(worst)
    }

    /// The reply of one server, of ours or of anybody's.
    pub(crate) async fn ask_at(&self, address: SocketAddr, name: &Name, kind: Kind) -> Result<Reply, Trouble> {
        let message = self.ask_one(address, name, kind).await?;
        Ok(Reply { dnssec: Dnssec::Insecure, message })
    }

    async fn ask_one(&self, address: SocketAddr, name: &Name, kind: Kind) -> Result<Message, Trouble> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let query = Query::query(name.clone(), kind.record_type());
        let message = match self.over_udp(address, query.clone()).await {
            Ok(message) if !message.metadata.truncation => Ok(message),
            // RFC 7766 §5 for truncation. Letter case that does not come back smells of forgery: ask where that is hard.
            Ok(_) | Err(NetError::QueryCaseMismatch) => self.over_tcp(address, query.clone()).await,
            Err(error) => Err(error),
        };
        let message = message.map_err(|error| trouble(&error))?;
        if !echoes(&message, &query) || message.metadata.truncation {
            return Err(Trouble::ServFail);
        }
        refusal(&message).map(|()| message)
    }

    /// A socket and port of its own for each datagram, checked for sender, id, question and letter case (security.md R8).
    async fn over_udp(&self, address: SocketAddr, query: Query) -> Result<Message, NetError> {
        let stream = UdpClientStream::builder(address, self.provider.clone()).with_timeout(Some(self.time));
        let mut options = DnsRequestOptions::default();
        options.case_randomization = true;
        let answer = stream.build().send_message(request(query, options)).first_answer();
        Ok(answer.await?.into_message())
    }

    async fn over_tcp(&self, address: SocketAddr, query: Query) -> Result<Message, NetError> {
        let exchange = async {
            let connection = TcpClientStream::exchange(address, None, self.time, None, self.provider.clone()).await?;
            connection.send(request(query, DnsRequestOptions::default())).first_answer().await
        };
        let answer = tokio::time::timeout(self.time, exchange).await.map_err(|_| NetError::Timeout)?;
        Ok(answer?.into_message())
    }

    fn dnssec(&self, address: SocketAddr, message: &Message) -> Dnssec {
        let believed = match self.trust_ad {
            TrustAd::Loopback => address.ip().to_canonical().is_loopback(),
            TrustAd::Always => true,
            TrustAd::Never => false,
        };
        if believed && message.metadata.authentic_data { Dnssec::Secure } else { Dnssec::Insecure }
    }
}

/// EDNS, so that extended errors come back, and AD, which asks for AD (RFC 6840 §5.7) without the weight of signatures: we
/// do not validate here (security.md R10).
fn request(query: Query, options: DnsRequestOptions) -> DnsRequest {
    let mut request = DnsRequest::from_query(query, options);
    request.metadata.authentic_data = true;
    request
}

fn echoes(message: &Message, query: &Query) -> bool {
    matches!(message.queries.as_slice(), [echo] if echo == query)
}

/// No answer is a timeout; an answer that cannot be read is the server's failure.
fn trouble(error: &NetError) -> Trouble {
    match error {
        NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy => Trouble::Timeout,
        _ => Trouble::ServFail,
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::OpCode;

    use super::*;

    #[test]
    fn whose_word_on_dnssec_counts() {
        let secure = |server: &str, trust_ad, ad| {
            let servers = NameServers::new(Vec::new(), Duration::ZERO, trust_ad);
            let mut message = Message::response(0, OpCode::Query);
            message.metadata.authentic_data = ad;
            servers.dnssec(server.parse().unwrap(), &message) == Dnssec::Secure
        };
        for loopback in ["127.0.0.1:53", "127.0.0.53:53", "[::1]:53", "[::ffff:127.0.0.1]:53"] {
            assert!(secure(loopback, TrustAd::Loopback, true), "{loopback}");
            assert!(!secure(loopback, TrustAd::Loopback, false), "{loopback}");
            assert!(!secure(loopback, TrustAd::Never, true), "{loopback}");
        }
        for remote in ["192.0.2.1:53", "[2001:db8::1]:53", "[::]:53", "10.0.0.1:53"] {
            assert!(!secure(remote, TrustAd::Loopback, true), "{remote}");
            assert!(secure(remote, TrustAd::Always, true), "{remote}");
        }
    }
}
