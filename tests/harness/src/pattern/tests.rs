//! Parts of a stream against its definition, byte by byte.

use alloc::vec::Vec;

use super::*;

/// As the stream is defined: the byte at one offset.
fn naive(seed: u64, offset: u64) -> u8 {
    let word = (offset / 8).wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word.rotate_right(8 * (offset % 8) as u32 + 17) as u8
}

const SEEDS: [u64; 3] = [0, 7, u64::MAX];

#[test]
fn any_part_is_as_the_bytes_one_by_one() {
    for seed in SEEDS {
        for offset in (0..20).chain(1_000_003..1_000_012) {
            for len in 0..40 {
                let mut out = Vec::from([255]);
                append(seed, offset, len, &mut out);
                let right = (offset..).take(len).map(|at| naive(seed, at));
                assert!(right.eq(out.drain(1..)), "{len} bytes at {offset} of {seed}");
            }
        }
    }
}

#[test]
fn every_single_wrong_byte_is_found_where_it_is() {
    for seed in SEEDS {
        for offset in 0..9 {
            for len in 0..40 {
                let mut bytes: Vec<u8> = (offset..).take(len).map(|at| naive(seed, at)).collect();
                assert_eq!(first_wrong(seed, offset, &bytes), None);
                for (position, bit) in (0..len).flat_map(|position| (0..8).map(move |bit| (position, bit))) {
                    bytes[position] ^= 1 << bit;
                    assert_eq!(first_wrong(seed, offset, &bytes), Some(offset + position as u64));
                    bytes[position] ^= 1 << bit;
                }
            }
        }
    }
}

#[test]
fn the_first_of_two_wrong_bytes_is_named() {
    let mut bytes = Vec::new();
    append(1, 3, 32, &mut bytes);
    (bytes[11], bytes[30]) = (!bytes[11], !bytes[30]);
    assert_eq!(first_wrong(1, 3, &bytes), Some(14));
}
