//! L2: the OpenID Connect core, pure: what an authorization request may ask, what an ID Token and userinfo say, what a
//! logout request may do and what the parties are told then (OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated,
//! Back-Channel and Front-Channel Logout 1.0); and, in `upstream`, the other side: Marelle as a relying party.
//!
//! Decides from what flows have loaded and the time they give. No input or output, no HTTP, no SQL; must never
//! release an attribute that no policy lists.

pub mod access;
pub mod authorization;
pub mod claims;
pub mod discovery;
pub mod id_token;
pub mod logout;
pub mod logout_token;
pub mod notice;
pub mod registration;
pub mod security_event;
pub mod subject;
pub mod upstream;
