//! The modules that the Basic and the Form Post plan share: each takes the suite, whose way of being answered the plan
//! has chosen.

pub(super) mod code;
pub(super) mod login;
pub(super) mod refresh;
pub(super) mod request;
pub(super) mod request_object;
pub(super) mod server;
pub(super) mod userinfo;
