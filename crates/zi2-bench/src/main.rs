//! `zi2-bench FOLDER`: FOLDER holds the release builds of `zi2d` and of the null milter. Prints tables in Markdown.
//!
//! Everything compared is measured in the same run, in turns, so that a noisy machine is noisy for all. Loopback only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its tables are its result")]

mod dns;
mod load;
mod mail;
mod peers;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

/// What went wrong, in words.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("zi2-bench: name the folder of the release builds");
        return ExitCode::from(64);
    };
    match tables::all(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zi2-bench: {error}");
            ExitCode::from(70)
        }
    }
}
