//! The commands of `zi2-cert`, to be run by its `main`, by tests and by the maker of manual pages.
//!
//! It parses command lines, reads files and prints. What is true of a message or a key is said by the libraries below.

mod cli;
mod cmd;
mod escape;
mod exit;
mod input;
mod io;
pub mod limits;
mod net;
mod program;
mod records;
mod settings;
mod words;

pub use cli::{command, run};
pub use cmd::man::pages;
pub use exit::{Exit, Trouble};
pub use io::{Host, Io, Surface, Talk};
