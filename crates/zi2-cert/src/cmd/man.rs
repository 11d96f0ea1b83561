//! `man`: the manual pages, made from what the programs themselves hold.

use std::path::PathBuf;

use clap_mangen::Man;
use zi2_trust::{Explanation, Reason};

use crate::{Exit, Io, Trouble, cli};

/// Which pages, and where they go.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write every page into this directory [default: zi2-cert(1) to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let pages = pages().map_err(Trouble::bug)?;
    let Some(directory) = &args.out else {
        for (_, page) in pages.iter().take(1) {
            io.out.write_all(page.as_bytes())?;
        }
        return Ok(Exit::Ok);
    };
    for (name, page) in pages {
        let path = directory.join(name);
        std::fs::write(&path, page).map_err(|error| {
            let what = format!("{} cannot be written: {error}", path.display());
            Trouble::new(Exit::CantCreate, what, "Name a directory that exists and that you may write to.")
        })?;
        io.result(format_args!("{}", path.display()))?;
    }
    Ok(Exit::Ok)
}

/// File names and contents of all manual pages, zi2-cert(1) first.
pub fn pages() -> std::io::Result<Vec<(String, String)>> {
    let mut command = cli::command();
    command.build();
    let mut pages = vec![("zi2-cert.1".to_owned(), rendered(&command)?)];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        pages.push((format!("zi2-cert-{}.1", sub.get_name()), rendered(sub)?));
    }
    pages.push(("zi2-reasons.7".to_owned(), reasons()));
    pages.push(("zi2.toml.5".to_owned(), configuration()));
    Ok(pages)
}

fn rendered(command: &clap::Command) -> std::io::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn reasons() -> String {
    let mut page = head("zi2\\-reasons", "7", "why a ZI2 result is what it is");
    page.push_str(".SH REASONS\n");
    for reason in Reason::ALL {
        let Explanation { people, admins, remedy, paragraph, .. } = reason.explanation();
        let [people, admins, remedy] = [people, admins, remedy].map(escaped);
        page.push_str(&format!(
            ".TP\n.B {}\n{people}\n{admins}\n.br\nWhat to do: {remedy} ({paragraph})\n",
            escaped(reason.as_str())
        ));
    }
    page
}

fn configuration() -> String {
    head("zi2.toml", "5", "configuration of zi2\\-milter and zi2\\-cert") + &zi2_config::man_keys()
}

fn head(name: &str, section: &str, about: &str) -> String {
    format!(".TH {name} {section}\n.SH NAME\n{name} \\- {about}\n")
}

/// Text for roff: no escape sequences, and no line that starts with a request.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
