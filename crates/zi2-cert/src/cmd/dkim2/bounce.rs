//! `dkim2 bounce`: bounces checked, made and passed back one hop.

use serde::Serialize;
use zi2_mail::{DigestPlan, Domain, HostName, Message};
use zi2_sig::dkim2::bounce::{
    Action, AuthenticBounce, BounceFault, BounceLeave, BounceVerifier, Failing, House, Reporter, Returning, StatusCode,
    compose,
};
use zi2_sig::dkim2::{HashChoice, Originator, Outcome, Path, Terms};

use super::look::{Around, Scene};
use super::sign::{Keys, random, refused};
use super::{File, Rules, message};
use crate::cli::Common;
use crate::escape::{self, for_terminal};
use crate::io::Tone;
use crate::{Exit, Io, Trouble};

/// What about bounces.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Say whether a bounce that came in is about mail that was sent from here
    Check(Check),
    /// Write the signed bounce of a message that was received
    Make(Box<Make>),
    /// Write the signed bounce for the hop before, of one that came in
    Back(Box<Back>),
}

/// Which bounce, and who we are.
#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    came: Came,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A bounce that came in. --mail-from, --rcpt, --now and --world are about it
#[derive(clap::Args)]
struct Came {
    #[command(flatten)]
    file: File,
    /// A domain that mail from here is signed as; may be repeated
    #[arg(long, value_name = "DOMAIN", required = true, value_parser = crate::cmd::domain)]
    own: Vec<Domain>,
    #[command(flatten)]
    around: Around,
    #[command(flatten)]
    rules: Rules,
}

/// What bounces, why, and who says so.
#[derive(clap::Args)]
struct Make {
    /// The message as it was received. --mail-from, --rcpt, --now and --world are about it
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    around: Around,
    /// The recipient for whom it failed, as the envelope had it
    #[arg(long, value_name = "ADDRESS")]
    recipient: String,
    /// The enhanced status code
    #[arg(long, value_name = "CODE", default_value = "5.0.0", value_parser = status_code)]
    status: StatusCode,
    /// What the next server said
    #[arg(long, value_name = "TEXT")]
    diagnostic: Option<String>,
    /// Return the header section only
    #[arg(long)]
    header_only: bool,
    #[command(flatten)]
    reporter: By,
    #[command(flatten)]
    rules: Rules,
}

/// A bounce that goes back one hop.
#[derive(clap::Args)]
struct Back {
    #[command(flatten)]
    came: Came,
    /// For which recipient of the hop before the message was sent on, if there were several
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    #[command(flatten)]
    reporter: By,
}

/// Who signs.
#[derive(clap::Args)]
struct By {
    /// The name of this mail server
    #[arg(long, value_name = "HOST", value_parser = |name: &str| HostName::parse(name).map_err(|error| error.to_string()))]
    mta: HostName,
    #[command(flatten)]
    keys: Keys,
}

fn status_code(text: &str) -> Result<StatusCode, String> {
    StatusCode::parse(text).ok_or_else(|| "an enhanced status code looks like 5.1.1".to_owned())
}

pub(super) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match &args.verb {
        Verb::Check(args) => check(args, common, io),
        Verb::Make(args) => make(args, common, io),
        Verb::Back(args) => back(args, common, io),
    }
}

/// What a check says.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    draft: &'static str,
    result: &'static str,
    text: Option<String>,
    reply: Option<String>,
    action: Option<&'static str>,
    status: Option<String>,
    /// Our signature on the message that came back.
    i: Option<u32>,
    n: Option<String>,
    body: Option<bool>,
}

fn check(args: &Check, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mail = message(&args.came.file.file, io)?;
    let scene = args.came.around.scene(common, io)?;
    let checked = args.came.checked(&mail, &scene)?;
    let (fault, bounce) = (checked.as_ref().err(), checked.as_ref().ok());
    let temporary = fault.is_some_and(|fault| fault.reply().0 < 500);
    let report = Report {
        schema: "zi2.dkim2-bounce.v1",
        draft: args.came.rules.draft.number(),
        result: if bounce.is_some() { "ours" } else { "refused" },
        text: fault.map(ToString::to_string),
        reply: fault.map(|fault| {
            let (code, enhanced) = fault.reply();
            format!("{code} {enhanced}")
        }),
        action: bounce.map(|bounce| bounce.action().as_str()),
        status: bounce.map(|bounce| bounce.status().to_string()),
        i: bounce.map(|bounce| bounce.signature().number()),
        n: bounce.and_then(|bounce| bounce.signature().nonce()).map(str::to_owned),
        body: bounce.map(AuthenticBounce::is_whole),
    };
    if args.json {
        io.result(format_args!("{}", escape::json(&report).map_err(Trouble::bug)?))?;
    } else {
        show(&report, io)?;
    }
    Ok(match (fault, temporary) {
        (None, _) => Exit::Ok,
        (Some(_), true) => Exit::TempFail,
        (Some(_), false) => Exit::Negative,
    })
}

fn show(report: &Report, io: &mut Io<'_>) -> Result<(), Trouble> {
    let tone = if report.text.is_none() { Tone::Good } else { Tone::Bad };
    let word = io.toned(tone, report.result);
    io.result(format_args!("result    {word} (draft {})", report.draft))?;
    let hop = report.i.map(|i| format!("i={i}"));
    let rows = [
        ("text", &report.text),
        ("reply", &report.reply),
        ("action", &report.action.map(str::to_owned)),
        ("status", &report.status),
        ("hop", &hop),
        ("nonce", &report.n),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            io.result(format_args!("{name:<9} {}", for_terminal(value)))?;
        }
    }
    Ok(())
}

impl Came {
    fn house(&self) -> House<'_> {
        House { domains: &self.own, nonces: None }
    }

    /// What the check says; trouble where the bounce itself does not verify.
    fn checked<'m>(&self, mail: &'m [u8], scene: &Scene) -> Result<Result<AuthenticBounce<'m>, BounceFault>, Trouble> {
        let evidence = match scene.judge(mail, &self.rules)?.outcome {
            Outcome::Full(evidence) => evidence,
            other => return Err(super::sign::unproven(&self.file.file, &other)),
        };
        let bounce = Message::split(mail);
        let verifier = BounceVerifier::new(&evidence, &scene.envelope, &bounce, &self.house(), scene.now);
        let mut verifier = match verifier {
            Ok(verifier) => verifier,
            Err(fault) => return Ok(Err(fault)),
        };
        for name in verifier.questions() {
            verifier.answer(&name, &scene.answer(&name)?);
        }
        Ok(verifier.finish())
    }
}

fn make(args: &Make, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mail = message(&args.file.file, io)?;
    let scene = args.around.scene(common, io)?;
    let leave = BounceLeave::of(&scene.judge(&mail, &args.rules)?);
    let leave = leave.map_err(|why| Trouble::new(Exit::Negative, why, "No bounce was written."))?;
    let failing = Failing {
        recipient: &Path::of_command(args.recipient.as_bytes()),
        action: Action::Failed,
        status: args.status,
        diagnostic: args.diagnostic.as_deref(),
    };
    let returning = if args.header_only { Returning::Header } else { Returning::Whole };
    let reporter = args.reporter.reporter(&scene)?;
    let bounce = compose(&leave, &Message::split(&mail), returning, &[failing], &reporter);
    let bounce = bounce.map_err(|why| Trouble::new(Exit::Data, why, "No bounce was written."))?;
    write(&bounce, &leave, &args.reporter, &args.rules, &scene, io)
}

fn back(args: &Back, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mail = message(&args.came.file.file, io)?;
    let scene = args.came.around.scene(common, io)?;
    let refused = |why: &dyn std::error::Error| Trouble::new(Exit::Negative, why, "No bounce was written.");
    let bounce = args.came.checked(&mail, &scene)?.map_err(|fault| refused(&fault))?;
    let recipient = args.recipient.as_ref().map(|path| Path::of_command(path.as_bytes()));
    let reporter = args.reporter.reporter(&scene)?;
    let passed = bounce.pass_back(&args.came.house(), recipient.as_ref(), &reporter);
    let passed = passed.map_err(|why| refused(&why))?;
    write(&passed.mail, &passed.leave, &args.reporter, &args.came.rules, &scene, io)
}

impl By {
    fn reporter(&self, scene: &Scene) -> Result<Reporter<'_>, Trouble> {
        let random = random::<16>()?;
        Ok(Reporter { server: &self.mta, domain: &self.keys.domain, now: scene.now, random })
    }
}

/// Signs a bounce and writes it.
fn write(
    bounce: &[u8],
    leave: &BounceLeave,
    by: &By,
    rules: &Rules,
    scene: &Scene,
    io: &mut Io<'_>,
) -> Result<Exit, Trouble> {
    let terms = Terms {
        draft: rules.draft,
        now: scene.now,
        binding: leave.binding(),
        flags: Vec::new(),
        nonce: None,
        hashes: HashChoice::default(),
    };
    let whole = Message::split(bounce);
    let mut plan = DigestPlan::new();
    let signer = Originator::new(&whole.header, terms, by.keys.identity()?, &mut plan);
    let signer = signer.map_err(|refusal| refused(&refusal))?;
    let fields = signer.finish(&plan.digest(whole.body)).map_err(|refusal| refused(&refusal))?;
    super::sign::write(&fields, bounce, io)?;
    Ok(Exit::Ok)
}
