//! What floods cost on a real machine. Figures, with the bounds that they are to keep; run by `scripts/floods.sh`.
//!
//! - `cost`: processor time of the endpoint for each kind of unwanted datagram, beside that of a whole handshake.
//! - `handshakes`: handshakes per second of the responder's processor time, and the memory of idle sessions.
//! - `transfer`: what a session offered 200 Mbit/s over loopback keeps while a flood goes to the same socket.

mod cost;
mod cpu;
mod handshakes;
mod responder;
mod transfer;

use std::process::ExitCode;

const USAGE: &str = "usage: floods cost | handshakes COUNT | transfer ROUNDS SECONDS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    let within = match (arguments.first().map(String::as_str), number(1), number(2)) {
        (Some("cost"), ..) => cost::measure(),
        (Some("handshakes"), Some(count), _) => handshakes::measure(count),
        (Some("transfer"), Some(rounds), Some(seconds)) => transfer::measure(rounds, seconds),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a figure beside its bound; whether it is kept.
fn figure(what: &str, value: f64, unit: &str, bound: f64, kept: bool) -> bool {
    println!("{what:<58} {value:>10.2} {unit:<12} bound {bound} {}", if kept { "kept" } else { "NOT KEPT" });
    kept
}
