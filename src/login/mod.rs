//! L2: what decides whether a person is who they say: login names, passwords, picture codes, the children of a class
//! page, and how failures slow an account down.
//!
//! Pure: no SQL, no clock, no HTTP, no thread. `flows::sign_in_password` and `flows::sign_in_picture` order the steps.

pub mod class_list;
pub mod password;
pub mod picture;
pub mod throttle;
pub mod username;
