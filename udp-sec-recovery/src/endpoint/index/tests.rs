//! The index against a map of the standard library, over a fixed course of insertions and removals.

use std::collections::BTreeMap;

use super::Index;

#[test]
fn it_says_what_a_map_says() {
    let mut index = Index::<u64, 16>::new();
    let mut map = BTreeMap::new();
    // A generator of full period over 64 bits (Knuth's MMIX); its high bits are what is random.
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut fullest = 0;
    for slot in 0..10_000 {
        let key = draw(24);
        if draw(3) == 0 {
            index.remove(&key);
            map.remove(&key);
        } else {
            index.insert(key, slot);
            if map.len() < 16 || map.contains_key(&key) {
                map.insert(key, slot);
            }
        }
        fullest = fullest.max(index.len());
        assert_eq!(index.len(), map.len());
        assert!((0..24).all(|key| index.get(&key) == map.get(&key).copied()), "after step {slot}");
    }
    assert_eq!(fullest, 16, "it has been full");
}
