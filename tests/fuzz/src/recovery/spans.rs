//! Sets of spans against a set of offsets.

use heapless::Vec;
use udp_sec_recovery::span::{self, Span};

use crate::input::Input;
use crate::{Outcome, log};

/// Offsets of the model.
const OFFSETS: usize = 300;

pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let mut set: Vec<Span, 6> = Vec::new();
    let mut model = [false; OFFSETS];
    let mut outcome = "spans";
    while let Some(choice) = input.next() {
        let start = usize::from(input.u8());
        let end = start + usize::from(input.u8() % 40);
        let span = Span::new(start as u64, end as u64);
        let puts_in = choice % 3 == 0;
        let mut after = model;
        after[if choice % 3 == 2 { 0..start } else { start..end }].fill(puts_in);
        let changed = model.iter().zip(&after).filter(|(before, after)| before != after).count() as u64;
        let before = set.clone();
        let done = match choice % 3 {
            0 => span::insert(&mut set, span),
            1 => span::remove(&mut set, span),
            _ => Ok(span::remove_below(&mut set, start as u64)),
        };
        match done {
            Ok(count) => {
                assert_eq!(count, changed, "{span:?}");
                model = after;
            }
            Err(full) => {
                log::line(full);
                assert_eq!(set, before, "a call that failed left a trace");
                assert!(before.is_full() && runs(&after) > before.capacity(), "{span:?} fits");
                outcome = "spans: full";
            }
        }
        check(&set, &model);
    }
    log::state(&set);
    outcome
}

fn runs(model: &[bool]) -> usize {
    model.chunk_by(|a, b| a == b).filter(|run| run[0]).count()
}

fn check(set: &Vec<Span, 6>, model: &[bool]) {
    assert!(span::is_consistent(set), "{set:?}");
    assert_eq!(
        (set.len(), span::total_len(set)),
        (runs(model), model.iter().filter(|in_it| **in_it).count() as u64)
    );
    for (offset, in_it) in model.iter().enumerate() {
        assert_eq!(span::contains(set, offset as u64), *in_it, "{offset} in {set:?}");
    }
}
