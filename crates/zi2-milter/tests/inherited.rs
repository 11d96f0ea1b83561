//! Socket activation: this test program starts itself with a listening socket as its standard input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use zi2_milter::client::{Answered, Client, Endpoint, Mail, Origin};
use zi2_milter::{
    Envelope, Inherited, Limits, Macros, Message, Next, Opening, OptNeg, Outcome, Service, Stats, Verdict, Wishes,
    serve,
};

struct Discard;

impl Message for Discard {
    fn recipient(&mut self, _: Envelope<'_>, _: &Macros) {}

    fn header(&mut self, _: &[u8], _: &[u8]) {}

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        Next::Decided(Verdict::Discard)
    }

    fn body(&mut self, _: &[u8]) -> Next {
        Next::More
    }

    async fn end(self, _: &Macros) -> Outcome {
        Verdict::Accept.into()
    }
}

#[test]
fn a_named_socket_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored"])
        .envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "milter"), ("LISTEN_FDS_FIRST_FD", "0")])
        .stdin(OwnedFd::from(listener))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut client = Client::connect(&Endpoint::Unix(path.clone()), OptNeg::VERSION_6).unwrap();
    client.open(&Origin::STRANGER).unwrap();
    let mail = Mail { sender: "<>", recipients: &["<a@b>"], macros: &[], queue_id: "Q", content: b"A: b\r\n\r\nc" };
    assert_eq!(client.send(&mail).unwrap().answered, Answered::Discard);
    client.quit().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(path.exists(), "the file is the service manager's");
}

#[test]
#[ignore = "the other half of a_named_socket_is_served, which starts it"]
fn child() {
    let mut inherited = Inherited::from_env();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(inherited.count(), 1);
        assert!(inherited.take(Some("web")).unwrap().is_none());
        let listener = inherited.take(Some("milter")).unwrap().unwrap();
        assert!(inherited.take(None).unwrap().is_none());
        let stats = Arc::new(Stats::default());
        let seen = Arc::clone(&stats);
        let stop = async move {
            // Until the one client has come and gone.
            while seen.connections.load(Ordering::Relaxed) == 0 || seen.open.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (wishes, limits) = (Wishes::header_edits(), Limits::STANDARD);
        let service = Service { wishes, limits, fallback: Verdict::TempFail, stats };
        serve(listener, service, stop, |_: Opening<'_>| Discard).await;
    });
}
