//! The whole table, state by state.

use super::StreamState::*;
use super::Transition as On;
use super::*;

#[test]
fn the_table_has_these_transitions_and_no_others() {
    let reject = Err(MuxReject::InvalidStreamStateTransition);
    let table = [
        (Open, [Ok(HalfClosedLocal), Ok(HalfClosedRemote), Ok(Reset)]),
        (HalfClosedLocal, [reject, Ok(Closed), Ok(Reset)]),
        (HalfClosedRemote, [Ok(Closed), reject, Ok(Reset)]),
        (Closed, [reject, reject, reject]),
        // Repeated it is harmless; an end after it is not.
        (Reset, [reject, reject, Ok(Reset)]),
    ];
    for (state, after) in table {
        let transitions = [On::SendClose, On::ReceiveClose, On::Reset];
        assert_eq!(transitions, Transition::ALL);
        assert_eq!(transitions.map(|transition| state.after(transition)), after, "{state:?}");
    }
    assert_eq!(table.map(|(state, _)| state), StreamState::ALL);
}

#[test]
fn data_travels_in_the_directions_that_are_open() {
    let sending = StreamState::ALL.map(StreamState::may_send);
    let receiving = StreamState::ALL.map(StreamState::may_receive);
    let alive = StreamState::ALL.map(StreamState::is_alive);
    assert_eq!(sending, [true, false, true, false, false]);
    assert_eq!(receiving, [true, true, false, false, false]);
    assert_eq!(alive, [true, true, true, false, false]);
}
