//! The same program under the name that old scripts know.

fn main() -> std::process::ExitCode {
    lilith::main()
}
