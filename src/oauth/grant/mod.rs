//! Grants, one file each: a check fills in what is the grant's own; what all share (client authentication, the
//! single-use gate, tokens, audit) is the endpoint's and cannot be forgotten.

pub mod authorization_code;
pub mod client_credentials;
pub mod refresh_token;
