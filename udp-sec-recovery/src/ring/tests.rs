//! The ring against a plain list of bytes.

use std::vec;

use super::*;

/// Every length, position and wrap of small rings, at the start of the stream and far along it.
#[test]
fn what_was_copied_in_comes_out() {
    for capacity in 1..=7_usize {
        for offset in (0..20).chain(u64::MAX - 30..u64::MAX - 10) {
            for len in 0..=capacity {
                let data: vec::Vec<u8> = (1..=len as u8).collect();
                let mut ring = vec![0xee; capacity];
                copy_in(&mut ring, offset, &data);
                let untouched = ring.iter().filter(|byte| **byte == 0xee).count();
                assert_eq!(untouched, capacity - len, "only what was given is written");
                for (position, byte) in data.iter().enumerate() {
                    assert_eq!(ring[((offset + position as u64) % capacity as u64) as usize], *byte);
                }

                let (first, second) = slices(&ring, offset, len);
                assert_eq!([first, second].concat(), data);
                let mut out = vec![0; len];
                assert_eq!(copy_out(&ring, offset, &mut out), len);
                assert_eq!(out, data);
            }
        }
    }
}

#[test]
fn nothing_goes_beyond_the_ring() {
    let mut ring = [0; 4];
    copy_in(&mut ring, 2, &[1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(ring, [3, 4, 1, 2]);
    let mut out = [9; 7];
    assert_eq!(copy_out(&ring, 2, &mut out), 4);
    assert_eq!(out, [1, 2, 3, 4, 9, 9, 9]);
}

#[test]
fn an_empty_ring_holds_nothing() {
    copy_in(&mut [], 5, &[1]);
    assert_eq!(slices(&[], 5, 3), (&[][..], &[][..]));
    assert_eq!(copy_out(&[], 5, &mut [0; 3]), 0);
}
