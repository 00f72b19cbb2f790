//! The provider, tried in process as browsers and relying parties use it, on each engine.

mod access_token;
mod assertion;
mod authorize;
mod certification;
mod code_flow;
mod logout;
mod programs;
mod pushed;
mod refresh;
mod signed_request;
mod site;
mod token;
