//! The command `lilith`.

fn main() -> std::process::ExitCode {
    lilith::main()
}
