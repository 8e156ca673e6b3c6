//! A figure at its bound passes, one above it is named.

use super::exceeded;
use crate::output::Output;

#[test]
fn a_figure_above_its_bound_is_named() {
    let held = "FIGURE session_bytes 24576\nFIGURE heap_bytes 8192\nFIGURE stack_role_bytes 16384";
    assert!(exceeded(&Output::parse(held)).is_empty());
    assert!(exceeded(&Output::parse("FIGURE boot_stack_bytes 22568")).is_empty());
    let deep = exceeded(&Output::parse("FIGURE heap_bytes 100\nFIGURE stack_role_bytes 20264"));
    assert_eq!(deep, ["stack_role_bytes is 20264, at most 16384"]);
}
