//! The other side of SAML: us as a service provider of somebody else's identity provider (saml-profiles §4.1).
//!
//! | | |
//! | --- | --- |
//! | [`request`] | an `AuthnRequest` of ours |
//! | [`accept`] | what an answer proves, or why it proves nothing |
//! | [`AskedToEnd`], [`end`], [`answered`] | single logout, either way |
//!
//! What is not proven signed is not read. Must never believe a name or a time that stands outside the signed element, and
//! never a provider that has no key.

mod assertion;
mod logout;
mod request;
mod response;

pub use assertion::{Asserted, Attribute, Named};
pub use logout::{AskedToEnd, NotHeard, ToEnd, answered, end};
pub use request::{Request, request};
pub use response::{Claimed, Expected, Rejected, Unclaimed, accept};

#[cfg(test)]
mod tests;
