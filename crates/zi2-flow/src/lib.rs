//! One message carried through the layers, inbound and outbound: the same steps in the daemon, the command and the tests.
//!
//! It knows neither the milter protocol nor a terminal. Where a message comes from and where its fields go is the
//! programs' business; what keys and history mean is decided below.

mod asking;
mod background;
mod bounce;
mod chain;
mod changed;
mod dkim;
mod dkim2;
mod envelope;
mod hop;
mod inbound;
mod keep;
pub mod limits;
mod outbound;
mod pass;
mod receiver;
mod rules;
mod services;
mod world;

pub use bounce::{CheckedBounce, ReceivedBounce};
pub use chain::{ChainRules, Client, has_chain, key_records};
pub use dkim::{DkimKeyFacts, DkimRules};
pub use dkim2::{dkim2, records as dkim2_key};
pub use envelope::Envelope;
pub use hop::{BounceHop, Dkim2Rules, Dkim2Unsigned, FirstHop, Further, Leaving, has_dkim2};
pub use inbound::{Inbound, Outcome};
pub use keep::{BodyRoom, Received};
pub use outbound::{Certified, Departed, Departure, DkimOutcome, Outbound, SenderRules, date_field, message_id_field};
pub use receiver::ReceiverRules;
pub use rules::{dns_options, keyring};
pub use services::Services;
pub use world::{World, WorldError};
