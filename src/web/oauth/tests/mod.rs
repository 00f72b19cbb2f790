//! The provider, tried in process as browsers and relying parties use it, on each engine.

mod access_token;
mod assertion;
mod assurance;
mod authorize;
mod certification;
mod claims;
mod code_flow;
mod dpop;
mod hints;
mod logout;
mod notice;
mod programs;
mod pushed;
mod refresh;
mod registration;
mod signed_request;
pub(in crate::web) mod site;
mod token;
mod userinfo;
