//! The process and its host: whose it is, what it may do, where it listens, whom it tells.

mod account;
mod sandbox;
mod sockets;

pub(crate) use account::Account;
pub(crate) use sandbox::enter_sandbox;
pub(crate) use sockets::{Listening, bind};

use sd_notify::NotifyState;

/// Tells systemd, where it is there to be told.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    sd_notify::notify(states).unwrap_or(());
}
