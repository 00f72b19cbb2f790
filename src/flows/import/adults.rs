//! The adults of a load: on their way from the files to the schools of their pupils, and into the store.
//!
//! | step | where |
//! | --- | --- |
//! | from the files to the schools | [`spool`] |

#[expect(dead_code, reason = "what is spooled is loaded by the step that comes next")]
mod spool;

pub(super) use spool::AdultSpool;
