//! L2: SAML 2.0 as decisions about bytes: the XML it is written in, the signatures on it, how it travels, and what partners
//! say of themselves.
//!
//! Pure: no clock, no database, no network; time and randomness are arguments. Must never act on XML that
//! [`xml::Document`] did not read, nor on a message that is to be signed before [`xmlsec`] gave its signed part back.

pub mod metadata;
pub mod wire;
pub mod xmlsec;

pub use crate::xml;
