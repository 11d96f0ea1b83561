//! `dkim2 recipe`: recipes made, applied and checked.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use zi2_mail::Message;
use zi2_sig::dkim2::{Draft, Recipe, Refusal, apply, recipe_for};

use super::{Rules, message, two_messages};
use crate::escape::{self, for_terminal};
use crate::{Exit, Io, Trouble, input};

/// What about recipes.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the recipe that leads from one message back to another
    Make(Make),
    /// Write the message that a recipe makes of another
    Apply(Apply),
    /// Say what is wrong with a recipe
    Lint(Lint),
}

/// From which to which.
#[derive(clap::Args)]
struct Make {
    /// The message as it came in, or - for standard input
    before: PathBuf,
    /// The message as it goes out
    after: PathBuf,
    #[command(flatten)]
    rules: Rules,
    /// Print base64, as r= holds it
    #[arg(long)]
    base64: bool,
}

/// Which to which.
#[derive(clap::Args)]
struct Apply {
    /// The recipe: JSON, or base64 as r= holds it
    recipe: PathBuf,
    /// The message, or - for standard input
    file: PathBuf,
    #[command(flatten)]
    rules: Rules,
}

/// Which.
#[derive(clap::Args)]
struct Lint {
    /// The recipe: JSON, or base64 as r= holds it
    recipe: PathBuf,
    #[command(flatten)]
    rules: Rules,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match &args.verb {
        Verb::Make(args) => make(args, io),
        Verb::Apply(args) => applied(args, io),
        Verb::Lint(args) => lint(args, io),
    }
}

fn make(args: &Make, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let (before, after) = two_messages(&args.before, &args.after, io)?;
    let recipe = recipe_for(&Message::split(&before), &Message::split(&after), args.rules.draft);
    let recipe = recipe.map_err(|refusal| not_undoable(&refusal))?;
    let text = if args.base64 { recipe.to_base64() } else { recipe.to_json() };
    io.out.write_all(text.as_bytes())?;
    io.out.write_all(b"\n")?;
    Ok(Exit::Ok)
}

fn applied(args: &Apply, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let recipe = read(&args.recipe)?;
    let mail = message(&args.file, io)?;
    let made = apply(&Message::split(&mail), &recipe, args.rules.draft).map_err(|_| {
        let what = "the recipe says that the body before cannot be made again";
        Trouble::new(Exit::Data, what, "Only the hop that changed it could know more.")
    })?;
    io.out.write_all(&made)?;
    Ok(Exit::Ok)
}

/// A recipe may be right and say more than it should.
fn lint(args: &Lint, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let recipe = read(&args.recipe)?;
    let remarks = remarks(&recipe, args.rules.draft);
    let exit = if remarks.is_empty() { Exit::Ok } else { Exit::Negative };
    if args.json {
        let draft = args.rules.draft.number();
        let report = escape::json(&Remarks { schema: "zi2.dkim2-lint.v1", draft, remarks }).map_err(Trouble::bug)?;
        io.result(format_args!("{report}"))?;
        return Ok(exit);
    }
    for remark in &remarks {
        io.result(format_args!("{}", for_terminal(remark)))?;
    }
    Ok(exit)
}

/// What there is to say of a recipe that can be read.
#[derive(Serialize)]
struct Remarks {
    schema: &'static str,
    draft: &'static str,
    remarks: Vec<String>,
}

fn remarks(recipe: &Recipe, draft: Draft) -> Vec<String> {
    let names = recipe.header().map(|(name, _)| name);
    let unsigned = names.filter(|name| !draft.signs(name.as_bytes()));
    let mut remarks: Vec<String> =
        unsigned.map(|name| format!("{name} is not signed: readers pass over what is said of it")).collect();
    if *recipe.body() == zi2_sig::dkim2::BodyRecipe::Null {
        remarks.push("the body is given up: no verifier can check what was before".to_owned());
    }
    let limit = zi2_sig::limits::DKIM2_INSTANCE_OCTETS;
    if recipe.to_base64().len() > limit {
        remarks.push(format!("in base64 it is longer than the {limit} octets a header section may have"));
    }
    remarks
}

fn read(path: &std::path::Path) -> Result<Recipe, Trouble> {
    let octets = input::file(path, crate::limits::RECIPE_OCTETS)?;
    let json = match octets.trim_ascii_start().starts_with(b"{") {
        true => octets,
        false => {
            let compact: Vec<u8> = octets.into_iter().filter(|octet| !octet.is_ascii_whitespace()).collect();
            STANDARD.decode(compact).map_err(|_| {
                let what = format!("{}: neither JSON nor base64", path.display());
                Trouble::new(Exit::Data, what, "A recipe is a JSON object, or the value of r=.")
            })?
        }
    };
    Recipe::parse(&json).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Trouble::new(Exit::Data, what, "zi2-cert dkim2 recipe make prints a recipe that is right.")
    })
}

pub(super) fn not_undoable(refusal: &Refusal) -> Trouble {
    Trouble::new(
        Exit::Data,
        refusal,
        "A list does better to put the original body, untouched, between parts of its own.",
    )
}
