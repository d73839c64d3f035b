//! Who sent it, and may it come in? And, for the pipeline: what does a journal line mean?
//!
//! Intake decides once, when the bytes come, and writes its verdict into the journal beside the
//! bytes; a rebuild takes the verdict as given and derives everything else from the bytes anew.

mod admit;
mod habits;
mod interpret;
mod open;
#[cfg(test)]
mod tests;
mod translate;

pub use admit::{Admission, Directory, password_digest};
pub use habits::clock_offset_ms;
pub use interpret::Interpreter;
pub use open::{Opened, open};
pub(crate) use translate::{AHEAD_MS_MAX, begin, exact};
