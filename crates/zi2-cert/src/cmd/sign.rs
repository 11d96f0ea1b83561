//! `sign`: one message certified offline, for tests and for mail that no milter sees. Where the configuration signs with
//! DKIM, so does this.

use std::path::PathBuf;

use clap::ValueEnum;
use rustix::rand::{GetRandomFlags, getrandom};
use zi2_config::Config;
use zi2_flow::DkimRules;
use zi2_keys::{FileError, KeyPlace, Keyring};
use zi2_mail::{DigestPlan, Header, HostName, Message, Timestamp, crlf_from_file, parse_from};
use zi2_sig::dkim;
use zi2_sig::{FIELD_NAME, Form, Identity, Kid, Refusal, Signer, SigningKey};
use zi2_trust::Reason;

use crate::cli::Common;
use crate::words::failure_detail;
use crate::{Exit, Io, Trouble, input, settings};

/// What to certify, and as whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The message, or - for standard input
    file: PathBuf,
    /// The private key [default: the one the configuration would use]
    #[arg(long, value_name = "FILE", requires = "kid")]
    key: Option<PathBuf>,
    /// The name of the certifying server [default: that of the configuration]
    #[arg(long, value_parser = |text: &str| HostName::parse(text).map_err(|error| error.to_string()))]
    sid: Option<HostName>,
    /// The key's identifier [default: that of the configuration, or else the newest not in the future]
    #[arg(long, value_parser = super::kid)]
    kid: Option<Kid>,
    /// The form of the certification [default: that of the configuration]
    #[arg(long, value_enum)]
    form: Option<FormArg>,
    /// Sign as if it were this time, in Unix seconds
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Use this nonce, 32 hexadecimal digits: for tests, since a nonce must never repeat
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Option<[u8; 16]>,
}

/// The forms, as the configuration names them.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum FormArg {
    /// Readable by verifiers of either text
    Combined,
    /// The Internet-Draft's
    Draft,
    /// The project page's
    Page,
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let file = input::message(&args.file, io)?;
    let needs_config = args.key.is_none() || args.sid.is_none();
    let config = if needs_config { Some(settings::load(common, &io.host)?.config) } else { None };
    let now = args.now.map_or(io.host.now, Timestamp::from_secs);
    let (ring, kid) = keyring(args, config.as_ref())?;
    let Some((kid, key)) = ring.active(now, kid) else {
        let what = format!(
            "there is no key {}",
            kid.map_or("whose month is not in the future".to_owned(), |kid| kid.to_string())
        );
        return Err(Trouble::new(Exit::NoInput, what, "Make one: zi2-cert keygen --domain DOMAIN"));
    };
    let Some(sid) = args.sid.clone().or_else(|| config.as_ref().map(|config| config.server.sid.clone())) else {
        return Err(Trouble::new(Exit::Usage, "no name for the certifying server", "Name it with --sid."));
    };
    let form = match args.form {
        Some(FormArg::Combined) => Form::Combined,
        Some(FormArg::Draft) => Form::Draft,
        Some(FormArg::Page) => Form::Page,
        None => config.as_ref().map_or(Form::Combined, |config| config.egress.form),
    };
    let nonce = match args.nonce {
        Some(nonce) => nonce,
        None => random()?,
    };
    let dkim = config.as_ref().map(|config| DkimRules::load(config, None)).transpose();
    let dkim = dkim.map_err(|error| Trouble::new(Exit::NoPerm, error, "Nothing was signed."))?.flatten();
    let by = By { key, identity: &Identity { sid, kid }, form, now, nonce, dkim: dkim.as_ref() };
    let signed = by.signed(&file, io)?;
    io.out.write_all(&signed)?;
    Ok(Exit::Ok)
}

fn keyring(args: &Args, config: Option<&Config>) -> Result<(Keyring, Option<Kid>), Trouble> {
    let ring = match (&args.key, config, args.kid) {
        (Some(path), _, Some(kid)) => Keyring::load_file(path, kid, KeyPlace::Ours),
        (_, Some(config), _) => settings::keyring(config),
        (_, None, _) => Ok(Keyring::empty()),
    };
    let ring = ring.map_err(|error| {
        let exit = match &error {
            FileError::Io { .. } | FileError::Symlink { .. } | FileError::NotAFile { .. } => Exit::NoInput,
            FileError::Content { .. } | FileError::TooLarge { .. } => Exit::Data,
            _ => Exit::NoPerm,
        };
        Trouble::new(exit, error, "Nothing was signed.")
    })?;
    let wanted = args.kid.or_else(|| config.and_then(|config| config.keys.kid));
    Ok((ring, wanted))
}

/// Who signs, and how.
struct By<'a> {
    key: &'a SigningKey,
    identity: &'a Identity,
    form: Form,
    now: Timestamp,
    nonce: [u8; 16],
    dkim: Option<&'a DkimRules>,
}

impl By<'_> {
    /// The message with its new fields on top. Line ends stay as they are in the file; earlier ZI2 fields go, as in the milter.
    fn signed(&self, file: &[u8], io: &mut Io<'_>) -> Result<Vec<u8>, Trouble> {
        let octets = crlf_from_file(file);
        let bare = without_certifications(&octets);
        let message = Message::split(&bare);
        let mut plan = DigestPlan::new();
        let signer = Signer::new(&message.header, self.identity, self.form, self.now, self.nonce, &mut plan);
        let signer = signer.map_err(|refusal| refused(&refusal))?;
        let dkim = self.dkim_signer(&message.header, &mut plan, io)?;
        let digests = plan.digest(message.body);
        let signed = signer.finish(&digests, self.key).map_err(|refusal| refused(&refusal))?;
        let added = [signed.field];
        let signatures = dkim.map_or(Ok(Vec::new()), |dkim| dkim.finish(&digests, &added)).map_err(unsigned)?;
        let lines: String = signatures.iter().chain(&added).map(|field| field.wire() + "\r\n").collect();
        let whole = [lines.as_bytes(), &bare].concat();
        match octets {
            std::borrow::Cow::Borrowed(_) => Ok(whole),
            // Every LF of the file became CRLF, so this gives the file's own octets back.
            std::borrow::Cow::Owned(_) => Ok(lf(&whole)),
        }
    }

    fn dkim_signer(
        &self,
        header: &Header<'_>,
        plan: &mut DigestPlan,
        io: &mut Io<'_>,
    ) -> Result<Option<dkim::Signer>, Trouble> {
        let Some(rules) = self.dkim else { return Ok(None) };
        let from = header.named("from").next().and_then(|from| parse_from(from.value()).ok());
        let identities = from.map(|from| rules.identities(&from)).unwrap_or_default();
        if identities.is_empty() {
            io.talk(format_args!("zi2-cert: note: not signed with DKIM: there is no key for the From address"));
            return Ok(None);
        }
        dkim::Signer::new(header, identities, &rules.recipe, self.now, plan).map(Some).map_err(unsigned)
    }
}

fn unsigned(refusal: dkim::Refusal) -> Trouble {
    Trouble::new(Exit::Data, format!("not signed with DKIM: {refusal}"), "Nothing was signed.")
}

fn without_certifications(octets: &[u8]) -> Vec<u8> {
    let message = Message::split(octets);
    let mut bare = Vec::with_capacity(octets.len());
    let mut from = 0;
    for field in message.header.named(FIELD_NAME) {
        bare.extend_from_slice(octets.get(from..field.offset()).unwrap_or_default());
        from = field.offset() + field.raw().len() + b"\r\n".len();
    }
    bare.extend_from_slice(octets.get(from..).unwrap_or_default());
    bare
}

fn lf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(content) => out.extend([content, b"\n"].concat()),
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// The reason's own words, and where exactly.
fn refused(refusal: &Refusal) -> Trouble {
    let reason = Reason::from(refusal);
    let detail = match refusal {
        Refusal::Header(failure) => failure_detail(failure),
        Refusal::NotSmtp(why) => why.to_string(),
        Refusal::Field(error) => error.to_string(),
        Refusal::Digests => "the body was not digested for this signer".to_owned(),
    };
    let ours = matches!(refusal, Refusal::Field(_) | Refusal::Digests);
    let exit = if ours { Exit::Software } else { Exit::Data };
    Trouble::new(exit, format!("not certified: {}: {detail}", reason.as_str()), reason.explanation().remedy)
}

fn random() -> Result<[u8; 16], Trouble> {
    let mut nonce = [0; 16];
    match getrandom(nonce.as_mut_slice(), GetRandomFlags::empty()) {
        Ok(16) => Ok(nonce),
        _ => Err(Trouble::new(Exit::Software, "the system gave no random numbers", "Nothing was signed.")),
    }
}

fn nonce(text: &str) -> Result<[u8; 16], String> {
    let wrong = || "a nonce is written with 32 hexadecimal digits".to_owned();
    let digits = (text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(text);
    let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok()).ok_or_else(wrong)?;
    Ok(number.to_be_bytes())
}
