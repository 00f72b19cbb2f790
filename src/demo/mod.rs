//! L5: the territory that `marelle demo` plays.

mod client;
