//! The table from which the files of `cases/` are made: `cargo run -p zi2-testkit --bin make-cases`.
//!
//! Messages are made here; verdicts are written here by hand from the threat model and the protocol page, and never
//! copied from what the code says.

mod authors;
mod bodies;
mod certified;
mod chain;
mod delegation;
mod dkim;
mod dkim2;
mod floods;
mod keys;
mod milter;
mod names;
mod replays;
mod sections;
mod sketch;
mod trust;
mod zone;

pub use sketch::Sketch;
pub use zone::zone;

/// All sketches, in the order of their numbers.
pub fn table() -> Vec<Sketch> {
    let rooms = [
        sections::sketches(),
        authors::sketches(),
        bodies::sketches(),
        certified::sketches(),
        chain::sketches(),
        delegation::sketches(),
        dkim::sketches(),
        dkim2::sketches(),
        names::sketches(),
        replays::sketches(),
        trust::sketches(),
        keys::sketches(),
        floods::sketches(),
        milter::sketches(),
    ];
    let mut all: Vec<Sketch> = rooms.into_iter().flatten().collect();
    all.sort_by(|a, b| a.case.id.cmp(&b.case.id));
    all
}
