//! What it costs to read mail: fields, digests, and how both grow with the message.
//!
//!     cargo bench -p zi2-mail [-- --json]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench: it may stop")]
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench: it measures time and prints")]

#[path = "../common/mod.rs"]
mod common;
mod digests;
mod fields;
mod growth;

use common::options::Options;
use common::report::Report;

fn main() {
    let options = Options::read();
    let mut report = Report::new("zi2-mail: reading octets");
    report
        .note("Processor time of one message; messages differ; medians.")
        .table(fields::table(options.effort))
        .table(digests::table(options.effort))
        .table(growth::by_fields(options.effort))
        .table(growth::by_octets(options.effort))
        .print(&options);
}
