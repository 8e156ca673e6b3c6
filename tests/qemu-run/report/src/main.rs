//! `qemu-report`: what a run has left, made readable. The log of a guest as text, a bulk transfer as a picture.
//!
//! Reading order: [`decode`]; then [`series`] (what is drawn), [`axis`] (where), [`figure`] (how), [`svg`], [`png`].

mod axis;
mod decode;
mod figure;
mod png;
mod series;
mod svg;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

/// Makes readable what a QEMU run has left.
#[derive(Parser)]
#[command(name = "qemu-report", version)]
enum Command {
    /// Decodes a defmt log; prints as JSON how many frames it had, how many were damaged, how often each message came
    /// (numbers in messages shown as #), and the sums of those of the form "name +n".
    Decode {
        /// The guest's ELF image.
        image: PathBuf,
        /// What the guest wrote, in defmt's own encoding.
        log: PathBuf,
        /// Where the text goes.
        text: PathBuf,
    },
    /// Draws a bulk transfer: OUT.svg and OUT.png.
    Plot {
        /// Title, link and samples, as JSON.
        input: PathBuf,
        /// The pictures' name, without its ending.
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qemu-report: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
    let write = |path: PathBuf, bytes: &[u8]| {
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())
    };
    match command {
        Command::Decode { image, log, text } => {
            let decoded = decode::decode(&read(image)?, &read(log)?)?;
            write(text.clone(), decoded.text.as_bytes())?;
            println!("{}", decoded.to_json());
        }
        Command::Plot { input, out } => {
            let transfer = series::Transfer::from_json(&read(input)?)?;
            let svg = figure::draw(&transfer);
            write(out.with_extension("svg"), svg.as_bytes())?;
            write(out.with_extension("png"), &png::render(&svg)?)?;
        }
    }
    Ok(())
}
