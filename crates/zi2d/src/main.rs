//! `zi2d ROLE`; installed as `zi2-milter` it is the milter role.

use std::process::ExitCode;

fn main() -> ExitCode {
    zi2d::run(std::env::args_os())
}
