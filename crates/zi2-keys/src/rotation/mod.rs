//! How one certifying key follows another (zi2.md §12). [`state`] and [`calendar`] are functions of facts and time alone;
//! [`file`] keeps the state beside the keys. It publishes nothing and asks nobody: surveys and queues are arguments.

mod calendar;
mod file;
mod state;
mod survey;
mod text;

pub use calendar::{Step, Task};
pub use file::{RotationError, RotationFile};
pub use state::{Entry, Proof, Queue, Refusal, Rotation, Settling, Stage};
pub use survey::{Gap, RecordPlace, ServerWord, Survey};
pub use text::TextError;

pub(crate) use file::{FILE, read_state};
