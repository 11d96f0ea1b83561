//! A desk with rules from data, served on a socket, and mail for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use zi2_config::{Bounces, HostedDomains, IngressMode, LogAddresses, OnMismatch, OwnDomain, SenderMap};
use zi2_flow::{ReceiverRules, SenderRules, Services};
use zi2_keys::{Documents, FixedDns, FixedNode, Resolver};
use zi2_mail::{Domain, HostName, Message, Timestamp};
use zi2_milter::client::{Answer, Client, Endpoint, Mail, Origin};
use zi2_milter::{Limits, Listener, OptNeg, Service, Stats, Verdict, serve};
use zi2_sig::{Form, Identity, Kid, SigningKey};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2d::{Clock, Desk, Live, Metrics, egress, handoff, ingress, wishes};

pub(crate) const NOW: u64 = 1_795_600_000; // 2026-11-25
pub(crate) const OURS: &str = "mx.recv.example";
pub(crate) const KID: &str = "zi2-cert-2026-11";

/// Which side of the daemon.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Ingress,
    Egress,
    Handoff,
}

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

/// DNS in which `good.example` and `recv.example` publish the key.
pub(crate) fn dns() -> FixedDns {
    let record = format!("v=ZI2CERT1; k=ed25519; p={}; kid={KID}", key().public().to_base64());
    let node = || FixedNode::of_txt(&[record.as_str()]);
    FixedDns::new().with("_zi2cert.good.example", node()).with("_zi2cert.recv.example", node())
}

pub(crate) fn services(dns: FixedDns) -> Services {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    Services { resolver: Resolver::fixed(dns), documents: Documents::None, store, snapshots: None }
}

pub(crate) fn receiver(hosted: HostedDomains) -> ReceiverRules {
    ReceiverRules::protocol(hosted, Duration::from_secs(30))
}

/// A server that hosts `good.example` and `b.example`, with one key.
pub(crate) fn live(services: Services) -> Live {
    let hosted = HostedDomains::new([domain("good.example"), domain("b.example")]);
    let identity = Identity { sid: HostName::parse("mail.good.example").unwrap(), kid: Kid::parse(KID).unwrap() };
    Live {
        services,
        receiver: Arc::new(receiver(HostedDomains::new([domain("recv.example")]))),
        sender: SenderRules {
            signer: Some((identity, Arc::new(key()))),
            dkim: None,
            dkim2: None,
            form: Form::Combined,
            senders: SenderMap::new(hosted.clone(), OwnDomain::Allowed),
            hosted,
            on_mismatch: OnMismatch::Skip,
            window: zi2_sig::limits::WINDOW_SECS,
        },
        dkim2: None,
        bounces: Bounces::Check,
        authserv_id: HostName::parse(OURS).unwrap(),
        sid: HostName::parse("mail.good.example").unwrap(),
        chain: None,
        mode: IngressMode::Mark,
        add_missing: true,
        issued_log: false,
        addresses: LogAddresses::Full,
    }
}

/// A clock that stands still and counts its nonces.
pub(crate) fn clock(now: Timestamp) -> Clock {
    let count = AtomicU32::new(0);
    let nonce = move || Some(u128::from(count.fetch_add(1, Ordering::Relaxed)).to_be_bytes());
    Clock::new(move || now, nonce)
}

/// One side of a desk on a socket.
pub(crate) struct Running {
    pub(crate) desk: Arc<Desk>,
    endpoint: Endpoint,
    _stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

impl Running {
    pub(crate) fn start(side: Side, live: Live) -> Running {
        Running::with_clock(side, live, clock(Timestamp::from_secs(NOW)))
    }

    pub(crate) fn with_clock(side: Side, live: Live, clock: Clock) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = Listener::unix(&path, 0o600).unwrap();
        let service = Service {
            wishes: wishes(),
            limits: Limits::STANDARD,
            fallback: Verdict::TempFail,
            stats: Arc::new(Stats::default()),
        };
        let desk = Arc::new(Desk::new(live, Arc::new(Metrics::new()), clock));
        let (stop, stopped) = oneshot::channel();
        let stop_when = async { stopped.await.unwrap_or(()) };
        match side {
            Side::Ingress => tokio::spawn(serve(listener, service, stop_when, ingress(Arc::clone(&desk)))),
            Side::Egress => tokio::spawn(serve(listener, service, stop_when, egress(Arc::clone(&desk)))),
            Side::Handoff => tokio::spawn(serve(listener, service, stop_when, handoff(Arc::clone(&desk)))),
        };
        Running { desk, endpoint: Endpoint::Unix(path), _stop: stop, _folder: folder }
    }

    /// Talks to it as a mail server, on a thread that may block.
    pub(crate) async fn talk<T: Send + 'static>(&self, talk: impl FnOnce(Client) -> T + Send + 'static) -> T {
        let endpoint = self.endpoint.clone();
        let client = move || Client::connect(&endpoint, OptNeg::VERSION_6).unwrap();
        tokio::task::spawn_blocking(move || talk(client())).await.unwrap()
    }

    /// One message from a stranger to these recipients; the answer with the message as it is delivered.
    pub(crate) async fn receive(&self, recipients: &[&str], content: &[u8]) -> Delivered {
        self.send(&[], recipients, content).await
    }

    /// One message from this client and sender.
    pub(crate) async fn receive_from(&self, client: &zi2_flow::Client, to: &[&str], content: &[u8]) -> Delivered {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let (address, helo) = (client.address.map(|address| address.to_string()), text(&client.helo));
        let sender = format!("<{}>", text(&client.mail_from));
        let (to, content): (Vec<String>, _) = (to.iter().map(|to| (*to).to_owned()).collect(), content.to_vec());
        self.talk(move |mut client| {
            let stranger = Origin::STRANGER;
            let address = address.as_deref().unwrap_or(stranger.address);
            client.open(&Origin { address, helo: &helo, ..stranger }).unwrap();
            let recipients: Vec<&str> = to.iter().map(String::as_str).collect();
            let mail =
                Mail { sender: &sender, recipients: &recipients, macros: &[], queue_id: "4bTEST", content: &content };
            let answer = client.send(&mail).unwrap();
            let octets = answer.apply(&content);
            Delivered { answer, octets }
        })
        .await
    }

    /// One message in this envelope, through the service of this name, from whoever has this login.
    pub(crate) async fn pass(&self, way: &Way<'_>, content: &[u8]) -> Delivered {
        let own = |text: &str| text.to_owned();
        let (service, login, sender) = (own(way.service), own(way.login), own(way.sender));
        let (to, content): (Vec<_>, _) = (way.to.iter().map(|to| own(to)).collect(), content.to_vec());
        self.talk(move |mut client| {
            let macros = [("{daemon_name}", service.as_str())];
            client.open(&Origin { macros: &macros, ..Origin::STRANGER }).unwrap();
            let recipients: Vec<&str> = to.iter().map(String::as_str).collect();
            let login = [("{auth_authen}", login.as_str())];
            let mail = Mail {
                sender: &sender,
                recipients: &recipients,
                macros: &login,
                queue_id: "4bTEST",
                content: &content,
            };
            let answer = client.send(&mail).unwrap();
            let octets = answer.apply(&content);
            Delivered { answer, octets }
        })
        .await
    }

    /// One message with these macros at MAIL.
    pub(crate) async fn send(&self, macros: &[(&str, &str)], recipients: &[&str], content: &[u8]) -> Delivered {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (recipients, content) = (owned(recipients), content.to_vec());
        let macros: Vec<_> = macros.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.talk(move |mut client| {
            client.open(&Origin::STRANGER).unwrap();
            let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
            let macros: Vec<_> = macros.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            Delivered::of(&mut client, &recipients, &macros, &content)
        })
        .await
    }
}

/// How a message comes to the daemon.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    /// `{daemon_name}`
    pub(crate) service: &'a str,
    /// `{auth_authen}`
    pub(crate) login: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) to: &'a [&'a str],
}

/// A message after its answer.
pub(crate) struct Delivered {
    pub(crate) answer: Answer,
    pub(crate) octets: Vec<u8>,
}

impl Delivered {
    pub(crate) fn of(client: &mut Client, to: &[&str], macros: &[(&str, &str)], content: &[u8]) -> Delivered {
        let sender = "<someone@sender.example>";
        let mail = Mail { sender, recipients: to, macros, queue_id: "4bTEST", content };
        let answer = client.send(&mail).unwrap();
        let octets = answer.apply(content);
        Delivered { answer, octets }
    }

    /// The values of a field, unfolded, from the top.
    pub(crate) fn fields(&self, name: &str) -> Vec<String> {
        let message = Message::split(&self.octets);
        let text = |value: &[u8]| String::from_utf8_lossy(value).replace("\r\n", "").trim().to_owned();
        message.header.named(name).map(|field| text(field.value())).collect()
    }

    /// The results of the existing chain's own field, method by method.
    pub(crate) fn chain(&self) -> Vec<String> {
        let fields = self.fields("Authentication-Results");
        let ours: Vec<_> = fields.iter().filter(|field| field.starts_with("mx.recv.example; dkim=")).collect();
        assert_eq!(ours.len(), 1, "{fields:?}");
        ours[0].split("; ").skip(1).map(str::to_owned).collect()
    }

    /// The tags of the only `X-ZI2-Verified`.
    pub(crate) fn verified(&self) -> Tags {
        let fields = self.fields("X-ZI2-Verified");
        assert_eq!(fields.len(), 1, "{fields:?}\n{}", String::from_utf8_lossy(&self.octets));
        let tags = fields[0].split("; ").filter_map(|tag| tag.split_once('='));
        Tags(tags.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(tag, _)| tag == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn result_reason_level(&self) -> [&str; 3] {
        ["result", "reason", "level"].map(|tag| self.get(tag))
    }
}

/// A plain message of this From.
pub(crate) fn letter(from: &str, more: &str) -> Vec<u8> {
    format!(
        "{more}From: {from}\r\nTo: bob@recv.example\r\nSubject: one\r\nDate: Wed, 25 Nov 2026 09:00:00 +0000\r\n\
         Message-ID: <1@good.example>\r\n\r\nHello\r\n"
    )
    .into_bytes()
}

/// A letter certified by `good.example` as its server would.
pub(crate) async fn certified(from: &str) -> Vec<u8> {
    let server = Running::start(Side::Egress, live(services(FixedDns::new())));
    let login = [("{auth_authen}", "ann@good.example")];
    let delivered = server.send(&login, &["<bob@recv.example>"], &letter(from, "")).await;
    assert_eq!(delivered.fields("X-ZI2-Certified").len(), 1);
    delivered.octets
}
