//! Our own keys on disk: made, written, and read back only if nobody else could have read or changed them.

mod error;
mod keyring;
mod read;
mod seed;
mod write;

pub use error::FileError;
pub use keyring::Keyring;
pub use read::KeyPlace;
pub use seed::{Seed, SeedError};
pub use write::{Written, create, replace};
