//! `marelle serve`.

use clap::Args;

use super::{Outcome, Refusal};
use crate::app;
use crate::config::Config;
use crate::flows::installation::{self, Issuer};

/// Arguments of `marelle serve`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Accept that the configured public address is not the one frozen at first start: every relying party must be
    /// configured anew.
    #[arg(long)]
    accept_new_issuer: bool,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Outcome {
    let context = app::open(config).await?;
    if let Issuer::Changed { frozen } =
        installation::freeze_issuer(&context, arguments.accept_new_issuer).await?
    {
        return Err(Refusal::usage(anyhow::anyhow!(
            "[http] public_url: this installation is known as {frozen}; another address breaks every relying party. \
             If that is meant: marelle serve --accept-new-issuer"
        )));
    }
    app::serve(config, context, stop_signal()).await?;
    Ok(())
}

/// Comes true at Ctrl-C or SIGTERM.
pub(super) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        }
        Err(_) => drop(interrupt.await),
    }
}
