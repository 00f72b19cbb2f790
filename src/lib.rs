//! Marelle: the identity provider of the French education continuum.
//!
//! A child gets one identity at the first year of école and keeps it to the lycée. The library is laid in layers and
//! **imports only point down**; `tests/layers.rs` keeps it so.
//!
//! | layer | modules |
//! | --- | --- |
//! | L5 | `web`, `jobs`, `demo`, `telemetry`, and above them `app` (composition root) and `cli` |
//! | L4 | `flows`: one file per thing someone does, one transaction each, audit inside |
//! | L3 | `store`: all SQL |
//! | L2 | `release`, `oauth`, `oidc`, `saml`, `cas`, `login`, `upstream`, `roster`, `sample`, `continuum`: pure cores |
//! | L1 | `domain`, `jose`, `xml` |
//! | L0 | `base` |

pub mod app;
pub mod base;
pub mod cas;
pub mod cli;
pub mod config;
pub mod continuum;
pub mod demo;
pub mod domain;
pub mod flows;
pub mod jobs;
pub mod jose;
pub mod login;
pub mod oauth;
pub mod oidc;
pub mod release;
pub mod roster;
pub mod saml;
pub mod sample;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod web;
pub mod xml;
