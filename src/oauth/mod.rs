//! L2: the OAuth 2.0 core, pure: parameters, redirect addresses, PKCE, client authentication, grants (RFC 6749, 6750,
//! 7636, 8252, 9207, 9449, 9700).
//!
//! Decides from what flows have loaded and the time they give. Each check names the section it serves. No input or
//! output, no HTTP, no SQL.

pub use crate::base::parameters;

pub mod access_token;
pub mod bearer;
pub mod client_assertion;
pub mod client_auth;
pub mod dpop;
pub mod error;
pub mod grant;
pub mod introspection;
pub(crate) mod numeric_date;
pub mod pkce;
pub mod redirect_uri;
pub mod request_object;
pub mod resource;
