//! A proxy that makes a loopback connection slow, for measuring pairs as if they were far apart:
//!
//!     cargo run -p twain-link --example emulated_link -- 127.0.0.1:7001 20 100
//!
//! takes the address to connect to, the one-way delay in milliseconds and the rate in Mbit/s,
//! prints the address to dial instead, and runs until it is stopped.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use twain_link::channel::emulator::{LinkProfile, TcpEmulator};

fn run() -> Option<Result<TcpEmulator, std::io::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target: SocketAddr = arguments.next()?.parse().ok()?;
    let delay: u64 = arguments.next()?.parse().ok()?;
    let megabits: u64 = arguments.next()?.parse().ok()?;
    let bandwidth = Some(megabits.checked_mul(125_000)?);
    Some(TcpEmulator::start(
        target,
        LinkProfile { latency: Duration::from_millis(delay), bandwidth },
    ))
}

fn main() -> ExitCode {
    match run() {
        Some(Ok(emulator)) => {
            println!("{}", emulator.address());
            loop {
                std::thread::park();
            }
        }
        Some(Err(error)) => eprintln!("error: {error}"),
        None => eprintln!("usage: emulated_link ADDRESS:PORT DELAY_MS MBIT_PER_S"),
    }
    ExitCode::FAILURE
}
