//! The endpoints over HTTP, in this process: a site, a browser, and service providers that sign and read.

mod logout;
pub(in crate::web) mod partner;
mod shared;
mod sign_on;
