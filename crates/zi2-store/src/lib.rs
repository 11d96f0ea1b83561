//! What must survive a restart: history, replay and issued nonces.
//!
//! [`Store`] is asked in batches and answers after its commit, so that a verdict is never ahead of what is remembered.
//! It judges nothing: what a row or an answer means is said by `zi2-trust`. It has no clock; times are arguments.
//!
//! ```
//! use zi2_store::{Batch, Issued, MemoryStore, Settings, Store};
//! use zi2_sig::AttestationId;
//! use zi2_trust::{Admission, ReplayVerdict};
//!
//! let store = MemoryStore::new(Settings::memory());
//! let id = AttestationId::from_octets([7; 16]);
//! let admission = Admission { id, day: 20_571, recipients: vec![1], allowance: 20 };
//! let batch = Batch {
//!     issued: vec![Issued { id, day: 20_571 }],
//!     admissions: vec![admission.clone(), admission],
//!     seen: Vec::new(),
//! };
//! let admitted = store.remember(&batch)?.admitted;
//! assert!(admitted[0].issued && admitted[0].replay == ReplayVerdict::Fresh);
//! assert!(!admitted[1].issued && admitted[1].replay == ReplayVerdict::Duplicate);
//! # Ok::<(), zi2_store::StoreError>(())
//! ```

mod actor;
mod clock;
mod error;
mod history;
mod interchange;
pub mod limits;
mod memory;
mod private;
mod replay;
mod snapshots;
mod sqlite;
mod store;

// what a store is asked
pub use error::{RowFault, StoreError};
pub use store::{Batch, Imported, Issued, Page, Remembered, Settings, Store, Tidied};

// backends
pub use memory::MemoryStore;
pub use sqlite::{Durability, SqliteStore};

// for asynchronous callers
pub use actor::{Counters, StoreHandle};

// received messages, kept to be signed further
pub use snapshots::{Snapshot, SnapshotBounds, SnapshotCounters, SnapshotFiles, SnapshotKey, Snapshots};

// interchange of history
pub use interchange::{ImportError, LineFault, SCHEMA, export, import, parse_line, write_line};
