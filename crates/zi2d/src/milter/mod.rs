//! Messages of a mail server: what comes in is verified, what goes out is certified, and signed with DKIM2 where it leaves
//! the queue. Which of them is said by the listener, never guessed from a message.

mod bounce;
mod edits;
mod egress;
mod envelope;
mod guard;
mod handoff;
mod ingress;
mod written;

pub use egress::Egress;
pub use handoff::Handoff;
pub use ingress::Ingress;

use std::sync::Arc;

use zi2_milter::{Opening, SymbolStage, Wishes};

use crate::Desk;

/// Opens incoming messages at a desk.
pub fn ingress(desk: Arc<Desk>) -> impl Fn(Opening<'_>) -> Ingress + Send + Sync + 'static {
    move |opening| Ingress::open(&desk, opening)
}

/// Opens outgoing messages at a desk.
pub fn egress(desk: Arc<Desk>) -> impl Fn(Opening<'_>) -> Egress + Send + Sync + 'static {
    move |opening| Egress::open(&desk, opening)
}

/// Opens messages on their last way out at a desk.
pub fn handoff(desk: Arc<Desk>) -> impl Fn(Opening<'_>) -> Handoff + Send + Sync + 'static {
    move |opening| Handoff::open(&desk, opening)
}

/// What is asked of the mail server: whole messages, header edits, and four macros.
pub fn wishes() -> Wishes {
    let mut wishes = Wishes::header_edits();
    wishes.macros = vec![
        (SymbolStage::Connect, vec!["j", "{daemon_name}"]),
        // The queue id is not known to Postfix before DATA.
        (SymbolStage::Mail, vec!["i", "{auth_authen}"]),
        (SymbolStage::Rcpt, vec![]),
        (SymbolStage::Data, vec!["i"]),
        (SymbolStage::EndOfHeaders, vec!["i"]),
        (SymbolStage::EndOfMessage, vec!["i"]),
    ];
    wishes
}
