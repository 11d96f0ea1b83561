//! zi2d: the daemon, installed as zi2-milter.
fn main() {}
