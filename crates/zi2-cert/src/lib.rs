//! zi2-cert: the operator's command.
