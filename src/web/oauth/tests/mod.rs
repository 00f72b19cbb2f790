//! The provider, tried in process as browsers and relying parties use it, on each engine.
//!
//! Where the attack cases on it are tried, each in tests that are named `case_<number>_…`; the cores have tests of the
//! same names beside their code, and `tests/nodes.rs` has what concerns two whole programs.
//!
//! | case | at the endpoints |
//! | --- | --- |
//! | 35 PKCE: left out, `plain`, the verifier of another code | [`token`], [`code_flow`] |
//! | 36 code: again, of another client or address, at once on two nodes | [`token`] |
//! | 37 redirect addresses and `request_uri` | [`authorize`], [`pushed`], [`signed_request`] |
//! | 38 clients that prove nothing, or what is another's | [`token`], [`assertion`] |
//! | 39 refresh: again, and after what it rests on has changed | [`refresh`], [`rechecked`] |
//! | 40 logout: addresses, hints, forged tokens; stolen tokens and proofs | [`logout`], [`dpop`] |
//!
//! Links of upstream providers, and the logout tokens that are sent to us, are tried in `web::login::tests`, on two whole
//! installations; access dates of a school year in [`access_date`].

mod access_date;
mod access_token;
mod assertion;
mod assurance;
mod authorize;
mod certification;
mod claims;
mod code_flow;
mod dpop;
mod hints;
mod limits;
mod logout;
mod notice;
mod programs;
mod pushed;
mod rechecked;
mod refresh;
mod registration;
mod signed_request;
pub(in crate::web) mod site;
mod token;
mod userinfo;
