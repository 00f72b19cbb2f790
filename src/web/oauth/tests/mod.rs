//! The provider, tried in process as browsers and relying parties use it, on each engine.

mod authorize;
mod code_flow;
mod logout;
mod programs;
mod refresh;
mod site;
mod token;
