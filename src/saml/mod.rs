//! L2: SAML 2.0 as decisions about bytes: the XML it is written in, the signatures on it, how it travels, what partners say
//! of themselves, and what messages ask and answer.
//!
//! Pure: no clock, no database, no network; time and randomness are arguments. Must never act on XML that
//! [`xml::Document`] did not read, nor on a message that is to be signed before [`xmlsec`] gave its signed part back.

pub mod attribute;
pub mod authn_context;
pub mod authn_request;
pub mod incoming;
pub mod logout;
pub mod message;
pub mod metadata;
pub mod name_id;
pub mod response;
pub mod service_provider;
pub mod status;
pub mod wire;
pub mod xmlsec;

pub use crate::xml;

#[cfg(test)]
pub(crate) mod testing;
