//! The ring against a queue of the standard library.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_bounded_queue(capacity in 0..20usize, steps in proptest::collection::vec((any::<bool>(), 0..30usize), 0..100)) {
        let mut room = vec![0; capacity];
        let (mut ring, mut model, mut next) = (Ring::EMPTY, VecDeque::new(), 0u8);
        for (push, count) in steps {
            if push {
                let data: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                let anew = ring.is_empty();
                let pushed = ring.push(&mut room, &data);
                prop_assert!(!anew || ring.pieces(&room).1.is_empty(), "an empty ring begins anew");
                prop_assert_eq!(pushed, count.min(capacity - model.len()));
                model.extend(&data[..pushed]);
            } else {
                let mut out = vec![0; count];
                let copied = ring.copy_to(&room, &mut out);
                prop_assert_eq!(&out[..copied], model.iter().take(count).copied().collect::<Vec<_>>());
                ring.drop_front(&room, count);
                model.drain(..count.min(model.len()));
            }
            let (first, second) = ring.pieces(&room);
            prop_assert_eq!([first, second].concat(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
        }
    }
}
