//! The window beside a set that forgets nothing, and beside the sequence that WireGuard implementations test with.

use super::Replay;
use crate::error::Reject;
use proptest::prelude::*;
use rand_core::Rng;
use std::collections::HashSet;
use std::vec;
use std::vec::Vec;

/// A window with its words.
struct Window {
    replay: Replay,
    words: Vec<u64>,
}

impl Window {
    fn new(words: usize) -> Self {
        Self { replay: Replay::default(), words: vec![0; words] }
    }

    fn accept(&mut self, number: u64) -> bool {
        let fresh = self.replay.check(&self.words, number);
        if fresh.is_ok() {
            self.replay.mark(&mut self.words, number);
        } else {
            assert_eq!(fresh, Err(Reject::ReplayOrStalePacketNumber));
        }
        fresh.is_ok()
    }
}

/// The same by definition: a number is fresh if it is newer than the `size` newest, or among them and new.
#[derive(Default)]
struct Model {
    seen: HashSet<u64>,
    largest: Option<u64>,
}

impl Model {
    fn accept(&mut self, size: u64, number: u64) -> bool {
        let stale = self.largest.is_some_and(|largest| number < largest && largest - number >= size);
        if stale || number == u64::MAX || !self.seen.insert(number) {
            return false;
        }
        self.largest = self.largest.max(Some(number));
        true
    }
}

/// [number, accepted] from a fresh window, as in wireguard-go's `replay/replay_test.go` (MIT) and the kernel's own
/// test: `l` is one more than the oldest age that is accepted, `r` the first number that never is.
fn wireguard_sequence(l: u64, r: u64) -> Vec<(u64, bool)> {
    let accepted = true;
    let refused = false;
    vec![
        (0, accepted),
        (1, accepted),
        (1, refused),
        (9, accepted),
        (8, accepted),
        (7, accepted),
        (7, refused),
        (l, accepted),
        (l - 1, accepted),
        (l - 1, refused),
        (l - 2, accepted),
        (2, accepted),
        (2, refused),
        (l + 16, accepted),
        (3, refused),
        (l + 16, refused),
        (l * 4, accepted),
        (l * 4 - (l - 1), accepted),
        (10, refused),
        (l * 4 - l, refused),
        (l * 4 - (l + 1), refused),
        (l * 4 - (l - 2), accepted),
        (l * 4 + 1 - l, refused),
        (0, refused),
        (r, refused),
        (r - 1, accepted),
        (r, refused),
        (r - 1, refused),
        (r - 2, accepted),
        (r.wrapping_add(1), refused),
        (r.wrapping_add(2), refused),
        (r - 2, refused),
        (r - 3, accepted),
        (0, refused),
    ]
}

#[test]
fn test_reject_replay_or_stale_packet_number() {
    for words in [4, 8, 16, 32, 64, 128] {
        let mut window = Window::new(words);
        // Ours is an exact window of 64 numbers for each word; the last 64-bit number is never valid.
        for (step, (number, accepted)) in
            wireguard_sequence(64 * words as u64, u64::MAX).into_iter().enumerate()
        {
            assert_eq!(window.accept(number), accepted, "{words} words, step {step}, number {number}");
        }
    }
}

#[test]
fn sweeps_over_one_window() {
    for words in [4, 128] {
        let w = 64 * words as u64 - 1;
        let all = |window: &mut Window, numbers: &mut dyn Iterator<Item = u64>| {
            numbers.for_each(|number| assert!(window.accept(number), "{number}"));
        };
        let mut window = Window::new(words);
        all(&mut window, &mut (1..=w));
        assert!(window.accept(0) && !window.accept(0));
        let mut window = Window::new(words);
        all(&mut window, &mut (2..=w + 1));
        assert!(window.accept(1) && !window.accept(0));
        let mut window = Window::new(words);
        all(&mut window, &mut (0..=w).rev());
        let mut window = Window::new(words);
        all(&mut window, &mut (1..=w + 1).rev());
        assert!(!window.accept(0));
        let mut window = Window::new(words);
        all(&mut window, &mut (1..=w).rev());
        assert!(window.accept(w + 1) && !window.accept(0));
        let mut window = Window::new(words);
        all(&mut window, &mut (1..=w).rev());
        assert!(window.accept(0) && window.accept(w + 1));
    }
}

#[test]
fn words_that_are_no_window_accept_nothing() {
    for words in [0, 1, 2, 3, 5, 127, 129, 256] {
        assert!(!Window::new(words).accept(0), "{words} words");
    }
}

#[test]
fn after_one_packet_another_window_knows_all() {
    let mut small = Window::new(4);
    assert!(small.accept(300));
    let mut large = Window { words: vec![u64::MAX; 128], ..small };
    large.replay.move_to(&mut large.words);
    assert!(!large.accept(300), "still a replay");
    assert!(large.accept(0) && large.accept(299) && large.accept(301));
    assert!(!large.accept(0) && !large.accept(299));
}

#[test]
fn after_more_packets_another_window_forgets_only_towards_refusal() {
    let mut small = Window::new(4);
    assert!(small.accept(5) && small.accept(300));
    let mut large = Window { words: vec![0; 128], ..small };
    large.replay.move_to(&mut large.words);
    assert!((0..=300).all(|number| !large.accept(number)));
    assert!((301..9000).all(|number| large.accept(number)));
    assert!(!large.accept(9000 - 8192 - 1) && !large.accept(8999));
}

/// Numbers in a few clusters: near 0, anywhere, near 2^64; steps around the size of the window between them.
fn numbers(size: u64) -> impl Strategy<Value = Vec<u64>> {
    let base = prop_oneof![Just(0_u64), any::<u64>(), Just(u64::MAX - 4 * size)];
    let step = prop_oneof![0..70_u64, 0..2 * size, size - 2..size + 3, Just(0)];
    (base, proptest::collection::vec((step, any::<bool>()), 1..400)).prop_map(|(mut number, steps)| {
        let mut walk = |(step, ahead): (u64, bool)| {
            number = if ahead { number.saturating_add(step) } else { number.saturating_sub(step) };
            number
        };
        steps.into_iter().map(&mut walk).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_smallest_window_equals_the_model(numbers in numbers(256)) {
        let (mut window, mut model) = (Window::new(4), Model::default());
        for number in numbers {
            prop_assert_eq!(window.accept(number), model.accept(256, number), "{}", number);
            prop_assert_eq!(window.replay.largest(), model.largest);
        }
    }

    #[test]
    fn the_largest_window_equals_the_model(numbers in numbers(8192)) {
        let (mut window, mut model) = (Window::new(128), Model::default());
        for number in numbers {
            prop_assert_eq!(window.accept(number), model.accept(8192, number), "{}", number);
            prop_assert_eq!(window.replay.largest(), model.largest);
        }
    }
}

/// Many operations on both window sizes, from a few beginnings: 0, anywhere, and where numbers end. Every so many of them
/// the window begins anew. `count` is for both together.
fn assert_equals_the_model(count: u64) {
    const EPISODE: u64 = 20_000;
    let mut random = crate::tests::rng(count);
    for words in [4, 128] {
        let size = 64 * words as u64;
        let (mut accepted, mut near_the_end) = (0_u64, 0_u64);
        for episode in 0..count / 2 / EPISODE {
            let (mut window, mut model) = (Window::new(words), Model::default());
            let mut number =
                [0, random.next_u64(), u64::MAX - random.next_u64() % (4 * size)][episode as usize % 3];
            for step in 0..EPISODE {
                // Mostly within the window and a little ahead; at times a whole window or more, and where one ends.
                let draw = random.next_u64();
                let distance = match draw % 16 {
                    0 => draw >> 8,
                    1 | 2 => size - 2 + (draw >> 8) % 5,
                    3..7 => (draw >> 8) % (2 * size),
                    _ => (draw >> 8) % 70,
                };
                let ahead = draw & 0x80 != 0 && (!draw.is_multiple_of(16) || step.is_multiple_of(64));
                let at =
                    if ahead { number.saturating_add(distance) } else { number.saturating_sub(distance) };
                let fresh = window.accept(at);
                assert_eq!(
                    fresh,
                    model.accept(size, at),
                    "{words} words, episode {episode}, step {step}: {at}"
                );
                accepted += u64::from(fresh);
                near_the_end += u64::from(at >= u64::MAX - size);
                // The walk follows the newest number, or the window would only ever see what is too old.
                number = model.largest.unwrap_or(number);
            }
        }
        std::println!("{words} words: {accepted} of {} accepted, {near_the_end} near the end", count / 2);
        assert!(accepted > count / 64 && near_the_end > count / 64, "{accepted}, {near_the_end}");
    }
}

#[test]
fn half_a_million_operations_equal_the_model() {
    assert_equals_the_model(500_000);
}

#[test]
#[ignore = "minutes"]
fn a_hundred_million_operations_equal_the_model() {
    assert_equals_the_model(100_000_000);
}
