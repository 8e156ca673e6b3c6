//! What is there is found, as often as it is there, clamped or not.

use super::*;

#[test]
fn every_copy_is_found_clamped_or_not() {
    let secret: [u8; 32] = std::array::from_fn(|index| index as u8 + 100);
    let needles = [Needle::new("absent", [7; 32]), Needle::new("present", secret)];
    let mut clamped = secret;
    clamped[0] &= 248;
    clamped[31] ^= 64;
    let memory = [&[0; 50][..], &secret, &clamped, &secret[..31], &[1; 9], &secret[1..31]].concat();
    // The first ones, and the last: nothing that matters is missing in the parts of it.
    assert_eq!(hits(&memory, &needles), [(1, 50), (1, 82), (1, 114), (1, 153)]);
    assert_eq!(hits(&memory[..81], &needles[1..]), [(0, 50)]);
    assert_eq!(hits(&secret[2..], &needles), []);
}

#[test]
fn a_secret_of_equal_bytes_counts_once_for_each_copy() {
    let needles = [Needle::new("static", [1; 32])];
    let memory = [&[0; 10][..], &[1; 32], &[0; 10], &[1; 32], &[1; 32]].concat();
    assert_eq!(hits(&memory, &needles).len(), 3);
}
