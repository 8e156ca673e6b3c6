//! Instructions as an assembler writes them.

use super::to;
use std::collections::BTreeMap;

/// Where the code in these tests lies.
const START: u64 = 0x8020_0000;

fn calls(target: u64, code: &[u8]) -> Vec<(u64, u64)> {
    to(&BTreeMap::from([(target, String::from("target"))]), START, code)
}

#[test]
fn near_calls_both_ways() {
    // jal ra, 16; jal ra, -16; jal zero, 0x7fffe
    assert_eq!(calls(START + 16, &0x0100_00ef_u32.to_le_bytes()), [(START, START + 16)]);
    assert_eq!(calls(START - 16, &0xff1f_f0ef_u32.to_le_bytes()), [(START, START - 16)]);
    assert_eq!(calls(START + 0x7_fffe, &0x7fe7_f06f_u32.to_le_bytes()), []);
    assert_eq!(calls(START + 0x7_f7fe, &0x7fe7_f06f_u32.to_le_bytes()), [(START, START + 0x7_f7fe)]);
}

#[test]
fn far_calls_behind_a_short_instruction() {
    // c.nop; auipc ra, 0x12; jalr ra, -4(ra)
    let code =
        [&0x0001_u16.to_le_bytes()[..], &0x0001_2097_u32.to_le_bytes(), &0xffc0_80e7_u32.to_le_bytes()];
    let target = START + 2 + 0x1_2000 - 4;
    assert_eq!(calls(target, &code.concat()), [(START + 6, target)]);
}

#[test]
fn short_jumps_both_ways() {
    // c.j 2; c.j -2; c.j 0x554
    assert_eq!(calls(START + 2, &0xa009_u16.to_le_bytes()), [(START, START + 2)]);
    assert_eq!(calls(START - 2, &0xbffd_u16.to_le_bytes()), [(START, START - 2)]);
    // c.li a0, 0 is of the same quadrant, and no jump.
    assert_eq!(calls(START, &0x4501_u16.to_le_bytes()), []);
}
