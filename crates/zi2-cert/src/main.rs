//! `zi2-cert`: the operator's command. Results go to stdout, talk to stderr, and the exit code says how it went.

use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    zi2_cert::run(std::env::args_os(), &mut zi2_cert::Io { out: &mut out, err: &mut err }).into()
}
