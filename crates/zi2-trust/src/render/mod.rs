//! Printers: a judgement as header fields and as JSON. The only place that knows the words other programs read.

mod authres;
mod dkim2;
mod json;
mod verified;

pub use authres::{authentication_results, existing_chain, is_authserv_id};
pub use dkim2::{Dkim2Change, Dkim2Hop, Dkim2Place, Dkim2Report};
pub use json::{ArcReport, DkimReport, DmarcReport, Metrics, Report, SpfReport, ZiReport};
pub use verified::{VERIFIED_FIELD, login_mismatch, verified, via};
