//! The `marelle` program.

fn main() {}
