//! The world around a message whose chain is looked at, and the verdict in it.

use std::sync::Arc;

use zi2_flow::{dkim2, dkim2_key};
use zi2_keys::{Budget, Resolver};
use zi2_mail::{Message, Timestamp};
use zi2_sig::dkim::KeyName;
use zi2_sig::dkim2::{Envelope, KeyAnswer, Policy, Verdict};

use super::{File, Rules};
use crate::cli::Common;
use crate::limits::{DKIM2_LOOK_UPS, PATIENCE};
use crate::net::{self, Ask};
use crate::{Exit, Io, Trouble, input, settings};

/// What to look at, and in which world.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) file: File,
    #[command(flatten)]
    pub(super) around: Around,
    #[command(flatten)]
    pub(super) rules: Rules,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// Envelope, time and DNS.
#[derive(clap::Args)]
pub(super) struct Around {
    /// The envelope sender the message came with; without it the envelope is not checked
    #[arg(long, value_name = "ADDRESS", conflicts_with = "world")]
    mail_from: Option<String>,
    /// An envelope recipient; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "world", requires = "mail_from")]
    rcpt: Vec<String>,
    /// Judge as if it were this time, in Unix seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "world")]
    now: Option<u64>,
    #[command(flatten)]
    ask: Ask,
}

/// All that a verdict depends on beside the message.
pub(super) struct Scene {
    pub(super) now: Timestamp,
    pub(super) envelope: Envelope,
    resolver: Resolver,
}

impl Around {
    pub(super) fn scene(&self, common: &Common, io: &mut Io<'_>) -> Result<Scene, Trouble> {
        if let Some(path) = &self.ask.world {
            let world = input::world(path)?;
            return Ok(Scene { now: world.now, envelope: world.envelope, resolver: Resolver::fixed(world.dns) });
        }
        let config = settings::load_public(common, io)?;
        let envelope = match &self.mail_from {
            Some(sender) => Envelope::of(sender.as_bytes(), &self.rcpt),
            None => Envelope::unknown(),
        };
        let now = self.now.map_or(io.host.now, Timestamp::from_secs);
        Ok(Scene { now, envelope, resolver: self.ask.resolver(&config)? })
    }
}

impl Scene {
    /// The verdict on a message.
    pub(super) fn judge(&self, mail: &[u8], rules: &Rules) -> Result<Verdict, Trouble> {
        let policy = Policy { draft: rules.draft, ..Policy::default() };
        let budget = Arc::new(Budget::new(DKIM2_LOOK_UPS, PATIENCE));
        let message = Message::split(mail);
        let judged = dkim2(&message, &self.envelope, self.now, &policy, &self.resolver, &budget);
        Ok(net::runtime()?.block_on(judged))
    }
}

impl Scene {
    /// What DNS says of one key.
    pub(super) fn answer(&self, name: &KeyName) -> Result<KeyAnswer, Trouble> {
        let budget = Budget::new(DKIM2_LOOK_UPS, PATIENCE);
        Ok(net::runtime()?.block_on(dkim2_key(name, &self.resolver, &budget)))
    }
}

/// What a result word is to the caller of the command.
pub(super) fn exit(result: &str) -> Exit {
    match result {
        "pass" => Exit::Ok,
        "temperror" => Exit::TempFail,
        _ => Exit::Negative,
    }
}
