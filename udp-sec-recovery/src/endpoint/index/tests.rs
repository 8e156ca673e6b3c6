//! The index against a map of the standard library, over a fixed course of insertions and removals; what a search costs.

use core::cmp::Ordering;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::vec::Vec;

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

std::thread_local! {
    static COMPARISONS: Cell<u32> = const { Cell::new(0) };
}

/// A key that counts how often it is compared.
#[derive(PartialEq, Eq, Debug)]
struct Counting(u64);

impl PartialOrd for Counting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counting {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

/// Ids may be chosen by strangers and peers: whatever they choose, no search costs more than twice the usual one.
#[test]
fn no_choice_of_keys_makes_a_search_long() {
    const KEYS: usize = 1_024;
    // In order, backwards, far apart, all alike but for their last bits, and by a product that scatters them.
    let choices: [fn(u64) -> u64; 5] = [
        |n| n,
        |n| u64::MAX - n,
        |n| n << 54,
        |n| 0xdead_beef_0000_0000 | n,
        |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    ];
    for (nth, choice) in choices.iter().enumerate() {
        let mut index = Index::<Counting, KEYS>::new();
        (0..KEYS).for_each(|slot| index.insert(Counting(choice(slot as u64)), slot));
        assert_eq!(index.len(), KEYS);
        let mut costs: Vec<u32> = (0..2 * KEYS)
            .map(|n| {
                COMPARISONS.set(0);
                // The first half is there; the second is not, unless its keys wrap to the same.
                assert!(index.get(&Counting(choice(n as u64))).is_some() || n >= KEYS);
                COMPARISONS.get()
            })
            .collect();
        costs.sort_unstable();
        let (median, most) = (costs[KEYS], costs[2 * KEYS - 1]);
        assert!(median >= 8 && most <= 2 * median, "choice {nth}: median {median}, at most {most}");
    }
}
