//! `panic-paths IMAGE`: which calls of panics in the image our crates make. Fails if there are any but the excepted.
//!
//! [`calls`] decodes the machine code and finds the calls; [`origin`] says, by the image's line tables, whose code each
//! of them is, also where functions were inlined into others.

mod calls;
mod exceptions;
mod origin;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

use exceptions::EXCEPTIONS;
use origin::{Origin, Origins};

/// Our crates, by the folder of their sources.
const OURS: [&str; 3] = ["udp-sec/src/", "udp-sec-recovery/src/", "nexus-net-adapter/src/"];

fn main() -> Result<ExitCode> {
    let [_, path] = &std::env::args().collect::<Vec<_>>()[..] else { bail!("usage: panic-paths IMAGE") };
    let bytes = std::fs::read(path).with_context(|| format!("{path} cannot be read"))?;
    let image = object::File::parse(&*bytes)?;
    let targets = panics(&image);
    ensure!(targets.len() > 3, "an image with a panic handler has panics: {targets:?}");
    let text = image.section_by_name(".text").context("no .text")?;
    let calls = calls::to(&targets, text.address(), text.data()?);
    ensure!(calls.len() > 10, "only {} calls of panics: is this decoded as it should be?", calls.len());
    let origins = Origins::new(&image)?;
    let mut found = BTreeMap::<Origin, u32>::new();
    for (at, target) in calls {
        *found.entry(origins.of(at, &targets[&target])?).or_default() += 1;
    }
    Ok(judge(&found))
}

/// Prints what was found; success where all that is ours is excepted, and no exception is without use.
fn judge(found: &BTreeMap<Origin, u32>) -> ExitCode {
    let mut by_crate = BTreeMap::<&str, u32>::new();
    let mut failed = false;
    for (origin, count) in found {
        *by_crate.entry(&origin.crate_name).or_default() += count;
        if OURS.iter().any(|ours| origin.file.contains(ours))
            && !EXCEPTIONS.iter().any(|one| one.covers(origin))
        {
            println!("panic: {origin} ({count})");
            failed = true;
        }
    }
    for unused in EXCEPTIONS.iter().filter(|one| !found.keys().any(|origin| one.covers(origin))) {
        println!("exception without use: {} in {}", unused.panic, unused.file);
        failed = true;
    }
    println!("calls of panics, by the crate whose code they are: {by_crate:?}");
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The functions that panic, by address. Those of `core` and `alloc` that do nothing else.
fn panics(image: &object::File<'_>) -> BTreeMap<u64, String> {
    let functions = image.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let named = functions.filter_map(|symbol| {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
        is_panic(&name).then(|| (symbol.address(), name))
    });
    named.collect()
}

/// Whether the function `name` does nothing but panic.
fn is_panic(name: &str) -> bool {
    let library = name.starts_with("core::") || name.starts_with("alloc::");
    let last = name.rsplit("::").next().unwrap_or(name);
    let ends = ["_failed", "_fail", "_fail_rt", "handle_alloc_error", "handle_error", "capacity_overflow"];
    let panics = name.starts_with("core::panicking::") || last.starts_with("panic_");
    library && (panics || ends.iter().any(|end| last.ends_with(end)))
}
