//! Feeds from their files to people, in process, on each engine: loading, recognising, guarding, undoing,
//! deciding, leaving.
//!
//! PostgreSQL takes part where `MARELLE_TEST_POSTGRES` names a server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is tests and what they stand on"
)]

mod engines;

#[path = "import/adults.rs"]
mod adults;
#[path = "import/changing.rs"]
mod changing;
#[path = "import/deciding.rs"]
mod deciding;
#[path = "import/dropping.rs"]
mod dropping;
#[path = "import/files.rs"]
mod files;
#[path = "import/guarding.rs"]
mod guarding;
#[path = "import/leaving.rs"]
mod leaving;
#[path = "import/loading.rs"]
mod loading;
#[path = "import/opening.rs"]
mod opening;
#[path = "import/program.rs"]
mod program;
#[path = "import/recognising.rs"]
mod recognising;
#[path = "import/telling.rs"]
mod telling;
#[path = "import/town.rs"]
mod town;
#[path = "import/turning.rs"]
mod turning;
#[path = "import/undoing.rs"]
mod undoing;
