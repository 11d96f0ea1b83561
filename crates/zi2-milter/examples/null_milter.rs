//! The smallest filter: accepts every message and puts one field on top. `null_milter /run/null.sock`, ends with ^C.

use std::process::ExitCode;
use std::sync::Arc;

use zi2_milter::{
    Edits, Envelope, HeaderName, HeaderValue, Limits, Listener, Macros, Message, Next, Opening, Outcome, Service,
    Stats, Verdict, Wishes, serve,
};

struct Null {
    octets: u64,
}

impl Message for Null {
    fn recipient(&mut self, _: Envelope<'_>, _: &Macros) {}

    fn header(&mut self, _: &[u8], _: &[u8]) {}

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        Next::More
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        self.octets += chunk.len() as u64;
        Next::More
    }

    async fn end(self, _: &Macros) -> Outcome {
        Outcome { edits: self.edits().unwrap_or_default(), quarantine: None, verdict: Verdict::Accept }
    }
}

impl Null {
    fn edits(&self) -> Result<Edits, zi2_milter::EditError> {
        let mut edits = Edits::new();
        let value = HeaderValue::new(format!(" {}", self.octets))?;
        edits.insert(1, HeaderName::new("X-Body-Octets")?, value)?;
        Ok(edits)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(listener) = std::env::args_os().nth(1).and_then(|path| Listener::unix(path, 0o660).ok()) else {
        return ExitCode::FAILURE;
    };
    let service = Service {
        wishes: Wishes::header_edits(),
        limits: Limits::STANDARD,
        fallback: Verdict::TempFail,
        stats: Arc::new(Stats::default()),
    };
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    serve(listener, service, stop, |_: Opening<'_>| Null { octets: 0 }).await;
    ExitCode::SUCCESS
}
