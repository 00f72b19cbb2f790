//! `marelle demo`.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::serve::stop_signal;
use crate::demo;

/// Arguments of `marelle demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of the demonstration's data; kept from one start to the next.
    #[arg(long, value_name = "FOLDER", default_value = "data/demo")]
    data: PathBuf,
    /// The port of Marelle; the three services take the next ones.
    #[arg(long, default_value_t = 8100)]
    port: u16,
    /// Begin anew: throw the demonstration's former data away.
    #[arg(long)]
    reset: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let options = demo::Options {
        folder: arguments.data,
        port: arguments.port,
        reset: arguments.reset,
    };
    demo::run(options, stop_signal(), |line| super::print_line(line)).await?;
    Ok(())
}
