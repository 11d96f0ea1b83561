//! Memory of a connection does not follow the size of a message. Alone in its process, so that nothing else allocates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use tokio::task::spawn_blocking;
use zi2_milter::client::{Client, Endpoint, Mail, Origin};
use zi2_milter::{
    Envelope, Limits, Listener, Macros, Message, Next, Opening, OptNeg, Outcome, ReplyCode, Service, Stats, Verdict,
    Wishes, serve,
};

struct Counter(u64);

impl Message for Counter {
    fn recipient(&mut self, _: Envelope<'_>, _: &Macros) {}

    fn header(&mut self, _: &[u8], _: &[u8]) {}

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        Next::More
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        self.0 += chunk.len() as u64;
        Next::More
    }

    async fn end(self, _: &Macros) -> Outcome {
        Verdict::Reply(ReplyCode::new(550, (5, 0, 0), &self.0.to_string()).unwrap()).into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_mebibytes_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let service = Service {
        wishes: Wishes::header_edits(),
        limits: Limits::STANDARD,
        fallback: Verdict::TempFail,
        stats: Arc::new(Stats::default()),
    };
    let open = |_: Opening<'_>| Counter(0);
    tokio::spawn(serve(Listener::unix(&path, 0o660).unwrap(), service, std::future::pending(), open));
    spawn_blocking(move || {
        let mut client = Client::connect(&Endpoint::Unix(path), OptNeg::VERSION_6).unwrap();
        client.open(&Origin::STRANGER).unwrap();
        let mut content = b"To: c\r\n\r\n".to_vec();
        content.resize(content.len() + (100 << 20), b'x');
        let mut send = |content| {
            let mail = Mail { sender: "<a@b>", recipients: &["<c@d>"], macros: &[], queue_id: "Q1", content };
            format!("{:?}", client.send(&mail).unwrap().answered)
        };
        send(&content[..1 << 20]);
        let before = resident_octets();
        assert!(send(&content).contains(&(100 << 20).to_string()));
        let grown = resident_octets().saturating_sub(before);
        // security.md M4: at most 1 MiB.
        assert!(grown < 1 << 20, "grew by {grown} octets");
    })
    .await
    .unwrap();
}

/// Of this process; the client lends its body and queues little.
fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
