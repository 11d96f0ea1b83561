//! The daemon. It joins the milter protocol, the flow of one message, keys, store and configuration into one process;
//! what any of them means is decided in their own rooms.
//!
//! [`Desk`] is what all messages share; [`ingress`], [`egress`] and [`handoff`] open messages at
//! it. [`run`] is the program.

mod cli;
mod clock;
mod daemon;
mod desk;
mod host;
pub mod limits;
mod live;
mod milter;
mod report;
mod trouble;

pub use cli::run;
pub use clock::Clock;
pub use desk::Desk;
pub use live::{Keys, Live};
pub use milter::{Egress, Handoff, Ingress, egress, handoff, ingress, wishes};
pub use report::{Metrics, serve_metrics};
