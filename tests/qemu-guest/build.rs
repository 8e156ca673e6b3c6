//! Puts the memory map where the linker looks for it, and sizes the laboratory's stack.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::copy("link.x", out.join("link.x")).expect("the build folder can be written");
    println!("cargo:rustc-link-search={}", out.display());
    // Whole sessions and their storage pass through the stack where simulations make them.
    println!("cargo:rustc-link-arg-bin=laboratory=--defsym=__stack_size=4M");
    println!("cargo:rerun-if-changed=link.x");
}
