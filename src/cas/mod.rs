//! L2: the CAS server as decisions about text: addresses, parameters, tickets, and what is answered (CAS Protocol 3.0).
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`address`] | whether an address is one, and whether it belongs to a service: by structure, never by pattern |
//! | [`login`] | what `/cas/login` was asked, and what comes next |
//! | [`ticket`] | what tickets look like |
//! | [`validation`] | whether a ticket that is shown is good for whoever shows it |
//! | [`proxy`] | who may act for a person elsewhere |
//! | [`attribute`] | in which shape a service is told what may leave |
//! | [`answer`] | how that is written: text, XML, JSON, SAML 1.1 |
//! | [`logout`] | how a service is told that a login has ended |
//!
//! Pure: no clock, no database, no network; time and randomness are arguments. Must never release what
//! [`crate::release`] does not hand out, and never repeat in an answer what was sent.

pub mod address;
pub mod answer;
pub mod attribute;
pub mod login;
pub mod logout;
pub mod proxy;
pub mod ticket;
pub mod validation;
