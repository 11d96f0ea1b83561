//! `sign`: one message certified offline.

use std::path::PathBuf;

use zi2_keys::Seed;
use zi2_mail::{HostName, Message};
use zi2_sig::{Form, Identity, Kid, Signer, SigningKey};
use zi2_trust::Reason;

use super::input;
use crate::{Exit, Io, Trouble};

/// What to sign, and as whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The message, or - for standard input.
    file: PathBuf,
    /// The private key's file.
    #[arg(long)]
    key: PathBuf,
    /// This server's name.
    #[arg(long, value_parser = |text: &str| HostName::parse(text).map_err(|e| e.to_string()))]
    sid: HostName,
    /// The key's identifier.
    #[arg(long, value_parser = |text: &str| Kid::parse(text).map_err(|e| e.to_string()))]
    kid: Kid,
    /// Which signatures the field carries.
    #[arg(long, value_enum, default_value = "combined")]
    form: FormArg,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum FormArg {
    Combined,
    Draft,
    Page,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let octets = input::message(&args.file)?;
    let key = SigningKey::parse_file(&input::file(&args.key)?);
    let key = key.map_err(|e| Trouble::new(Exit::Data, e, "`zi2-cert keygen` makes a key file."))?;
    let form = match args.form {
        FormArg::Combined => Form::Combined,
        FormArg::Draft => Form::Draft,
        FormArg::Page => Form::Page,
    };
    let message = Message::split(&octets);
    if message.header.named(zi2_sig::FIELD_NAME).next().is_some() {
        let what = "the message is certified already";
        return Err(Trouble::new(Exit::Data, what, "Remove its X-ZI2-Certified field first."));
    }
    let identity = Identity { sid: args.sid.clone(), kid: args.kid };
    let signed = Signer::new(&message.header, &identity, form, input::now(), nonce()?).and_then(|mut signer| {
        signer.body(message.body);
        signer.finish(&key)
    });
    let signed = signed.map_err(|refusal| {
        let reason = Reason::from(&refusal);
        let said = reason.explanation();
        Trouble::new(Exit::Data, format!("not certified: {} {}", reason.as_str(), said.people), said.remedy)
    })?;
    io.out.write_all(signed.field.wire().as_bytes())?;
    io.out.write_all(b"\r\n")?;
    io.out.write_all(&octets)?;
    Ok(Exit::Ok)
}

/// 16 random octets: the first half of a public key made for nothing else, which is as random as its seed.
fn nonce() -> Result<[u8; 16], Trouble> {
    let public = Seed::from_system().and_then(|seed| seed.public());
    let public = public.map_err(|e| Trouble::new(Exit::Software, e, "Nothing was signed."))?;
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(public.as_octets()).for_each(|(to, from)| *to = *from);
    Ok(nonce)
}
