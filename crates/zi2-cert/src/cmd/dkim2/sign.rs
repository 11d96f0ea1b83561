//! `dkim2 sign`: a first hop, or a further one for a message that verifies as it came in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use rustix::rand::{GetRandomFlags, getrandom};
use zi2_mail::{DigestPlan, Domain, Message, NewField, NotSmtp};
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Envelope, Flag, HashChoice, Identity, MlDsaSigningKey, Originator, Outcome, PrivateKey, Refusal,
    SigningMember, Terms, extend,
};

use super::look::Around;
use super::{File, Rules, message};
use crate::cli::Common;
use crate::{Exit, Io, Trouble, input};

/// What to sign, as whom, for whom.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    keys: Keys,
    /// The envelope sender the message will be sent with
    #[arg(long, value_name = "ADDRESS", required_unless_present = "next", conflicts_with = "next")]
    sender: Option<String>,
    /// An envelope recipient it will be sent to; may be repeated
    #[arg(long, value_name = "ADDRESS", required_unless_present = "next", conflicts_with = "next")]
    recipient: Vec<String>,
    /// Sign for a next signature within the house, of this domain, nd=
    #[arg(long, value_name = "DOMAIN", value_parser = crate::cmd::domain)]
    next: Option<Domain>,
    /// What this hop says of itself; may be repeated
    #[arg(long, value_enum)]
    flag: Vec<FlagArg>,
    /// An opaque text of at most 64 characters, n=
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    /// With what the message is hashed
    #[arg(long, value_enum, default_value_t = HashArg::Sha256)]
    hash: HashArg,
    /// For a further hop: the message as it came in. --mail-from, --rcpt, --now and --world are about that
    #[arg(long, value_name = "FILE")]
    received: Option<PathBuf>,
    #[command(flatten)]
    around: Around,
    #[command(flatten)]
    rules: Rules,
}

/// As whom.
#[derive(clap::Args)]
pub(super) struct Keys {
    /// The signing domain, d=
    #[arg(long, value_parser = crate::cmd::domain)]
    pub(super) domain: Domain,
    /// The selector of the key; repeat it with --key for several, of which any one will do
    #[arg(long, required = true, value_parser = |text: &str| Selector::parse(text).map_err(|error| error.to_string()))]
    selector: Vec<Selector>,
    /// The private key: RSA, Ed25519 or ML-DSA-44
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
}

/// The flags.
#[derive(ValueEnum, Clone, Copy)]
enum FlagArg {
    /// The message goes to more than one address
    Exploded,
    /// Feedback is wanted
    Feedback,
    /// Feedback shall go through this hop
    Feedhere,
}

/// The hashes.
#[derive(ValueEnum, Clone, Copy)]
enum HashArg {
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
    /// Both
    Both,
}

pub(super) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mail = message(&args.file.file, io)?;
    let scene = args.around.scene(common, io)?;
    let terms = Terms {
        draft: args.rules.draft,
        now: scene.now,
        binding: args.binding()?,
        flags: args.flag.iter().map(|flag| Flag::from(*flag)).collect(),
        nonce: args.nonce.clone(),
        hashes: args.hash.into(),
    };
    let identity = args.keys.identity()?;
    let fields = match &args.received {
        None => first(&mail, terms, identity).map_err(|refusal| refused(&refusal))?,
        Some(path) => {
            let received = message(path, io)?;
            let evidence = match scene.judge(&received, &args.rules)?.outcome {
                Outcome::Full(evidence) => evidence,
                other => return Err(unproven(path, &other)),
            };
            let (received, outgoing) = (Message::split(&received), Message::split(&mail));
            let extension = extend(&evidence, &received, &outgoing, &terms, &identity);
            extension.map_err(|refusal| refused(&refusal))?.fields
        }
    };
    write(&fields, &mail, io)?;
    Ok(Exit::Ok)
}

/// Writes a message with new fields on top.
pub(super) fn write(fields: &[NewField], mail: &[u8], io: &mut Io<'_>) -> Result<(), Trouble> {
    for field in fields {
        io.out.write_all(field.wire().as_bytes())?;
        io.out.write_all(b"\r\n")?;
    }
    io.out.write_all(mail)?;
    Ok(())
}

impl Args {
    fn binding(&self) -> Result<Binding, Trouble> {
        if let Some(next) = &self.next {
            return Ok(Binding::Next(next.clone()));
        }
        let envelope = Envelope::of(self.sender.as_deref().unwrap_or_default().as_bytes(), &self.recipient);
        Binding::of(&envelope)
            .ok_or_else(|| Trouble::new(Exit::Usage, "there is no recipient", "Name one with --recipient."))
    }
}

impl Keys {
    /// Each key an alternative of its own.
    pub(super) fn identity(&self) -> Result<Identity, Trouble> {
        if self.selector.len() != self.key.len() {
            let what = format!("{} selectors for {} keys", self.selector.len(), self.key.len());
            return Err(Trouble::new(Exit::Usage, what, "Give each --key its --selector."));
        }
        let member = |(selector, path): (&Selector, &PathBuf)| {
            Ok(vec![SigningMember { selector: selector.clone(), key: private_key(path)? }])
        };
        let groups = self.selector.iter().zip(&self.key).map(member).collect::<Result<_, Trouble>>()?;
        Ok(Identity { domain: self.domain.clone(), groups })
    }
}

fn first(mail: &[u8], terms: Terms, identity: Identity) -> Result<Vec<NewField>, Refusal> {
    let message = Message::split(mail);
    let mut plan = DigestPlan::new();
    plan.request_smtp();
    let signer = Originator::new(&message.header, terms, identity, &mut plan)?;
    let digests = plan.digest(message.body);
    match digests.smtp() {
        // What is long is no business of a signature: it survives most relays.
        Some(Err(why)) if why != NotSmtp::LongLine => Err(Refusal::NotSmtp(why)),
        _ => signer.finish(&digests),
    }
}

fn private_key(path: &Path) -> Result<PrivateKey, Trouble> {
    let octets = input::file(path, crate::limits::KEY_OCTETS)?;
    if let Some(key) = MlDsaSigningKey::parse_file(&octets) {
        return Ok(PrivateKey::MlDsa(Arc::new(key), random()?));
    }
    let key = DkimSigningKey::parse_file(&octets)
        .map_err(|error| Trouble::new(Exit::Data, format!("{}: {error}", path.display()), "Nothing was signed."))?;
    Ok(PrivateKey::Dkim(Arc::new(key)))
}

/// Random octets.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Trouble> {
    let mut random = [0; N];
    match getrandom(random.as_mut_slice(), GetRandomFlags::empty()) {
        Ok(got) if got == N => Ok(random),
        _ => Err(Trouble::new(Exit::Software, "the system gave no random numbers", "Nothing was signed.")),
    }
}

pub(super) fn unproven(path: &Path, outcome: &Outcome) -> Trouble {
    let why = match outcome {
        Outcome::Absent => "it has no DKIM2 fields".to_owned(),
        Outcome::Unbound | Outcome::Full(_) => "its envelope is not known".to_owned(),
        Outcome::Provisional(_, failure) | Outcome::Failed(failure) => failure.to_string(),
    };
    let what = format!("{} does not verify as it came in: {why}", path.display());
    let hint = match outcome {
        Outcome::Absent => "Without --received the message is signed as a first hop.",
        Outcome::Unbound | Outcome::Full(_) => "Name the envelope with which it came: --mail-from and --rcpt.",
        Outcome::Provisional(..) | Outcome::Failed(_) => "A chain is extended only where all of it is proven.",
    };
    Trouble::new(Exit::Negative, what, hint)
}

pub(super) fn refused(refusal: &Refusal) -> Trouble {
    Trouble::new(Exit::Data, format!("not signed: {refusal}"), "Nothing was written.")
}

impl From<FlagArg> for Flag {
    fn from(flag: FlagArg) -> Flag {
        match flag {
            FlagArg::Exploded => Flag::Exploded,
            FlagArg::Feedback => Flag::Feedback,
            FlagArg::Feedhere => Flag::FeedHere,
        }
    }
}

impl From<HashArg> for HashChoice {
    fn from(hash: HashArg) -> HashChoice {
        match hash {
            HashArg::Sha256 => HashChoice::Sha256,
            HashArg::Sha512 => HashChoice::Sha512,
            HashArg::Both => HashChoice::Both,
        }
    }
}
