//! How a bench is called. `cargo bench` measures, `cargo test` only looks whether the bench still runs.

use std::env;

/// The arguments of a bench.
pub(crate) struct Options {
    pub(crate) effort: Effort,
    pub(crate) output: Output,
    words: Vec<String>,
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Everything once: the figures mean nothing.
    Smoke,
    /// Until the figures stand still.
    Full,
}

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Table,
    Json,
}

impl Options {
    /// Reads the arguments. Those of test runners are passed over, for `cargo test -- --ignored` comes here too.
    pub(crate) fn read() -> Options {
        let words: Vec<String> = env::args().skip(1).collect();
        let given = |flag: &str| words.iter().any(|word| word == flag);
        // Cargo says --bench where it measures, and nothing of the kind where it tests.
        let effort = if given("--bench") && !given("--test") { Effort::Full } else { Effort::Smoke };
        let output = if given("--json") { Output::Json } else { Output::Table };
        Options { effort, output, words }
    }

    /// The number after this flag.
    pub(crate) fn number(&self, flag: &str) -> Option<u64> {
        self.text(flag)?.replace('_', "").parse().ok()
    }

    /// The word after this flag.
    pub(crate) fn text(&self, flag: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == flag)?;
        self.words.get(at + 1).map(String::as_str)
    }
}
