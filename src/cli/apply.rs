//! `marelle apply`.
use super::Outcome;
use crate::flows::Context;
use clap::Args;
/// Arguments.
#[derive(Debug, Args)]
pub(super) struct Arguments {}
pub(super) async fn run(_context: &Context, _arguments: Arguments) -> Outcome {
    Ok(())
}
