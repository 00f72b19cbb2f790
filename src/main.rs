//! The `marelle` program: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    marelle::cli::run()
}
