//! Calls in riscv64 machine code, by their addresses.
//!
//! The RISC-V Instruction Set Manual, Volume I: chapters "RV32I" (`jal`, `jalr`, `auipc`), "RV64I" and "C" (`c.j`). A call
//! is one `jal` where the linker found it near enough, else `auipc` and `jalr` with the same register; tail calls are the
//! same without a return address.

use std::collections::BTreeMap;

const AUIPC: u32 = 0x17;
const JAL: u32 = 0x6f;
const JALR: u32 = 0x67;

/// Address and target of each jump in `code`, which begins at `start`, that goes to one of `targets`.
pub(crate) fn to(targets: &BTreeMap<u64, String>, start: u64, code: &[u8]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut registers = [None; 32];
    let mut at = 0;
    while let Some(low) = half(code, at) {
        let address = start + at as u64;
        let (len, target) = if low & 3 == 3 {
            let word = u32::from(low) | u32::from(half(code, at + 2).unwrap_or(0)) << 16;
            (4, wide(address, word, &mut registers))
        } else {
            (2, compressed(address, low))
        };
        if let Some(target) = target.filter(|target| targets.contains_key(target)) {
            found.push((address, target));
        }
        at += len;
    }
    found
}

fn half(code: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*code.get(at..)?.first_chunk()?))
}

/// The target of an instruction of 32 bits, if it is a jump to a known place; what `auipc` leaves is kept in mind.
fn wide(address: u64, word: u32, registers: &mut [Option<u64>; 32]) -> Option<u64> {
    let [rd, rs1] = [word >> 7, word >> 15].map(|shifted| (shifted & 31) as usize);
    match word & 0x7f {
        AUIPC => {
            registers[rd] = Some(address.wrapping_add_signed(i64::from((word & 0xffff_f000) as i32)));
            None
        }
        JALR => Some(registers[rs1]?.wrapping_add_signed(i64::from(word as i32 >> 20))),
        JAL => {
            let offset = (word & 0x8000_0000) as i32 >> 11
                | (word & 0x000f_f000) as i32
                | (word >> 9 & 0x800) as i32
                | (word >> 20 & 0x7fe) as i32;
            Some(address.wrapping_add_signed(i64::from(offset)))
        }
        _ => None,
    }
}

/// The target of an instruction of 16 bits, if it is `c.j`.
fn compressed(address: u64, word: u16) -> Option<u64> {
    if word & 0xe003 != 0xa001 {
        return None;
    }
    let bit = |from: u32, to: u32| i64::from(word >> from & 1) << to;
    let offset = bit(3, 1)
        | bit(4, 2)
        | bit(5, 3)
        | bit(11, 4)
        | bit(2, 5)
        | bit(7, 6)
        | bit(6, 7)
        | bit(9, 8)
        | bit(10, 9)
        | bit(8, 10)
        | -bit(12, 11);
    Some(address.wrapping_add_signed(offset))
}

#[cfg(test)]
mod tests;
