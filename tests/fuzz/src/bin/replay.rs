//! Runs one input through one target, on any toolchain: what `scripts/fuzz.sh --replay` calls.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, file] = &arguments[..] else {
        eprintln!("usage: replay TARGET FILE");
        return ExitCode::from(2);
    };
    match std::fs::read(file) {
        Ok(input) => {
            println!("{}", fuzz::run(target, &input));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::from(2)
        }
    }
}
