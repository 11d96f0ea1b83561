//! Our own keys on disk: made, written, and read back only if nobody else could have read or changed them.

mod dkim;
mod dkim_new;
mod error;
mod keyring;
mod read;
mod seed;
mod write;

pub use dkim::{
    Dkim2Key, DkimFile, check_dkim_table, create_dkim, load_dkim, load_dkim_file, load_dkim2, replace_dkim,
};
pub use dkim_new::{DkimKind, NewDkimKey};
pub use error::FileError;
pub use keyring::Keyring;
pub use read::KeyPlace;
pub use seed::{Seed, SeedError};
pub use write::{Written, create, replace};

pub(crate) use read::{open_directory, read_private};
pub(crate) use write::{adopt, write_state};
