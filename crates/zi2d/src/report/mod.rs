//! What is told of messages: one log line each, and figures.

mod http;
mod line;
mod logging;
mod metrics;
mod signed;
mod watched;

pub use http::serve_metrics;
pub use metrics::Metrics;

pub(crate) use line::{Existing, Line, Result, Unsigned};
pub(crate) use logging::{Logging, start_logging};
pub(crate) use metrics::Direction;
pub(crate) use signed::{Dkim2Signed, DkimSigned, Signatures};
pub(crate) use watched::Watched;
