//! `zi2-cert`: the operator's command. Results go to stdout, talk to stderr, and the exit code says how it went.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use zi2_cert::{Exit, Host, Io};

fn main() -> ExitCode {
    let (mut input, mut out, mut err) = (std::io::stdin(), BufWriter::new(std::io::stdout()), std::io::stderr());
    let mut io = Io { input: &mut input, out: &mut out, err: &mut err, host: Host::system() };
    let exit = zi2_cert::run(std::env::args_os(), &mut io);
    match out.flush() {
        Err(_) if exit == Exit::Ok => Exit::IoError.into(),
        _ => exit.into(),
    }
}
