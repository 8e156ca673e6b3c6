//! Range sets against a naive model: a list of booleans, one for each offset.

use std::vec;
use std::vec::Vec as StdVec;

use heapless::Vec;
use proptest::prelude::*;

use super::*;

/// Offsets that the model covers.
const OFFSETS: u64 = 64;

#[derive(Clone, Debug)]
enum Op {
    Insert(Span),
    Remove(Span),
    RemoveBelow(u64),
}

fn ops() -> impl Strategy<Value = StdVec<Op>> {
    let span = (0..OFFSETS, 0..12_u64).prop_map(|(start, len)| Span::new(start, (start + len).min(OFFSETS)));
    let op = prop_oneof![
        5 => span.clone().prop_map(Op::Insert),
        3 => span.prop_map(Op::Remove),
        1 => (0..OFFSETS).prop_map(Op::RemoveBelow),
    ];
    proptest::collection::vec(op, 0..80)
}

fn runs(model: &[bool]) -> StdVec<Span> {
    let mut runs: StdVec<Span> = StdVec::new();
    for (offset, _) in model.iter().enumerate().filter(|(_, known)| **known) {
        let offset = offset as u64;
        match runs.last_mut() {
            Some(last) if last.end == offset => last.end += 1,
            _ => runs.push(Span::new(offset, offset + 1)),
        }
    }
    runs
}

/// Sets the offsets of `span` to `value`; how many changed.
fn paint(model: &mut [bool], span: Span, value: bool) -> u64 {
    let mut changed = 0;
    for offset in span.start..span.end {
        changed += u64::from(model[offset as usize] != value);
        model[offset as usize] = value;
    }
    changed
}

/// What the operation must do to a set of `capacity` spans: the change, or `Full` and nothing.
fn expected(model: &mut StdVec<bool>, span: Span, value: bool, capacity: usize) -> Result<u64, Full> {
    let before = model.clone();
    let changed = paint(model, span, value);
    if runs(model).len() > capacity {
        *model = before;
        return Err(Full);
    }
    Ok(changed)
}

fn run<const N: usize>(ops: &[Op]) {
    let mut set = Vec::<Span, N>::new();
    let set = set.as_mut_view();
    let mut model = vec![false; OFFSETS as usize];
    for op in ops {
        match *op {
            Op::Insert(span) => assert_eq!(insert(set, span), expected(&mut model, span, true, N), "{op:?}"),
            Op::Remove(span) => assert_eq!(remove(set, span), expected(&mut model, span, false, N), "{op:?}"),
            Op::RemoveBelow(offset) => {
                assert_eq!(remove_below(set, offset), paint(&mut model, Span::new(0, offset), false));
            }
        }
        assert_eq!(set.as_slice(), runs(&model), "{op:?}");
        assert!(is_consistent(set));
        assert_eq!(total_len(set), model.iter().filter(|known| **known).count() as u64);
        for offset in 0..OFFSETS {
            assert_eq!(contains(set, offset), model[offset as usize]);
        }
    }
}

proptest! {
    #[test]
    fn equals_the_model(ops in ops()) {
        run::<64>(&ops);
    }

    /// With few entries `Full` comes often; it must come exactly when the result would not fit, and change nothing.
    #[test]
    fn equals_the_model_when_entries_are_few(ops in ops()) {
        run::<1>(&ops);
        run::<3>(&ops);
    }
}

#[test]
fn empty_and_reversed_spans_change_nothing() {
    let mut set = Vec::<Span, 1>::new();
    let set = set.as_mut_view();
    for nothing in [Span::new(5, 5), Span::new(7, 3)] {
        assert_eq!(nothing.len(), 0);
        assert_eq!(insert(set, nothing), Ok(0));
        assert_eq!(remove(set, nothing), Ok(0));
    }
    assert!(set.is_empty());
}

#[test]
fn works_up_to_the_last_offset() {
    let mut set = Vec::<Span, 2>::new();
    let set = set.as_mut_view();
    assert_eq!(insert(set, Span::new(u64::MAX - 2, u64::MAX)), Ok(2));
    assert_eq!(insert(set, Span::new(0, 1)), Ok(1));
    assert_eq!(insert(set, Span::new(5, 6)), Err(Full));
    assert_eq!(remove_below(set, u64::MAX - 1), 2);
    assert_eq!(set.as_slice(), [Span::new(u64::MAX - 1, u64::MAX)]);
    assert_eq!(insert(set, Span::new(0, u64::MAX)), Ok(u64::MAX - 1));
    assert_eq!(total_len(set), u64::MAX);
}
