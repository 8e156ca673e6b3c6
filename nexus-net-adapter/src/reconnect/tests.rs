//! Bounds, waits, and what ends them.

use std::vec::Vec;

use udp_sec::error::CloseCode;
use udp_sec::time::Duration;

use super::{Event, Reconnect, Schedule};
use crate::select::Happened;

/// The waits of one sequence that never succeeds, in ms.
fn waits(schedule: Schedule, random: u32) -> Vec<u64> {
    let mut reconnect = Reconnect::new(schedule);
    let mut waits = Vec::new();
    loop {
        match reconnect.on_failure(Some(Happened::Silence), random) {
            Event::Waiting { attempt, of, wait } => {
                waits.push(wait.as_micros() / 1000);
                assert_eq!((attempt as usize, of), (waits.len(), schedule.attempts));
            }
            event => {
                assert_eq!(event, Event::GivenUp { attempts: schedule.attempts });
                return waits;
            }
        }
    }
}

#[test]
fn waits_double_up_to_the_longest_and_end() {
    let longest = waits(Schedule::default(), u32::MAX);
    assert_eq!(longest, [499, 999, 1999, 3999, 7999, 15_999, 29_999, 29_999]);
    let shortest = waits(Schedule::default(), 0);
    assert_eq!(shortest, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
}

#[test]
fn no_schedule_overflows() {
    let endless = Schedule { attempts: 100, first_wait: Duration::MAX, longest_wait: Duration::MAX };
    assert_eq!(waits(endless, u32::MAX).len(), 100);
    let none = Schedule { attempts: 0, ..Schedule::default() };
    assert_eq!(waits(none, 0), []);
}

#[test]
fn a_session_makes_the_next_loss_a_first_one() {
    let mut reconnect = Reconnect::new(Schedule::default());
    let first = reconnect.on_failure(None, 0);
    reconnect.on_failure(Some(Happened::ConnectionFailed), 0);
    assert_eq!(reconnect.on_success(), Event::Restored { attempts: 2 });
    assert_eq!(reconnect.on_failure(None, 0), first);
}

#[test]
fn a_final_answer_is_not_asked_for_again() {
    let answers = [
        Happened::Refused(CloseCode::SessionLimit),
        Happened::IdentityProofInvalid,
        Happened::EntropyUnavailable,
        Happened::Disabled,
    ];
    for answer in answers {
        let mut reconnect = Reconnect::new(Schedule::default());
        reconnect.on_failure(None, 0);
        assert_eq!(reconnect.on_failure(Some(answer), 0), Event::GivenUp { attempts: 1 });
    }
}
