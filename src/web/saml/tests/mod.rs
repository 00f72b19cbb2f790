//! The endpoints over HTTP, in this process: a site, a browser, and service providers that sign and read.

mod logout;
mod one_subject;
pub(in crate::web) mod partner;
mod sign_on;
