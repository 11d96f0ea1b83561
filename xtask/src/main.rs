//! Development chores. `cargo run -p xtask -- tidy` holds the tree to its budgets (DESIGN.md).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lines of one source file, tests included: past that it is two rooms.
const FILE_LINES: usize = 600;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy(),
        _ => {
            eprintln!("usage: cargo run -p xtask -- tidy");
            ExitCode::from(64)
        }
    }
}

fn tidy() -> ExitCode {
    let mut sources = Vec::new();
    collect(Path::new("crates"), &mut sources);
    let too_long: Vec<String> = sources
        .iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(path).ok()?.lines().count();
            (lines > FILE_LINES).then(|| format!("{}: {lines} lines, the budget is {FILE_LINES}", path.display()))
        })
        .collect();
    too_long.iter().for_each(|finding| eprintln!("{finding}"));
    println!("{} source files looked at, {} over budget", sources.len(), too_long.len());
    if too_long.is_empty() && !sources.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
