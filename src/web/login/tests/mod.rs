//! People who come from another provider, over HTTP, in this process: two whole installations, one of which plays the
//! provider, and a browser that goes from one to the other.

mod attacks;
mod federation;
mod matrix;
mod sign_on;
