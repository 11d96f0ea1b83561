//! Signature facts: what is cryptographically true of a message.
