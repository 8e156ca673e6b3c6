//! Every combination of outcomes, carried out: which attempts are made, in which order, with which budget.

use std::vec;
use std::vec::Vec;

use udp_sec::limits::{HANDSHAKE_BUDGET, HANDSHAKE_BUDGET_WITH_FALLBACK};
use udp_sec::time::Duration;

use super::{Attempts, NoSession, select};
use crate::select::{Event, Happened, Mode, NoStream, Transport};

/// Attempts that all fail: each transport in its way.
struct Failing {
    udp_sec: Happened,
    tcp: Happened,
    made: Vec<(Transport, Duration)>,
}

impl Attempts for Failing {
    type UdpSec = NoStream;
    type Tcp = NoStream;
    type Quic = NoStream;

    fn udp_sec(&mut self, budget: Duration) -> Result<NoStream, Happened> {
        self.made.push((Transport::UdpSec, budget));
        Err(self.udp_sec)
    }

    fn tcp(&mut self, budget: Duration) -> Result<NoStream, Happened> {
        self.made.push((Transport::Tcp, budget));
        Err(self.tcp)
    }
}

/// What `mode` comes to, the attempts it made, and the events it showed.
fn outcome(
    mode: Mode,
    udp_sec: Happened,
    tcp: Happened,
) -> (NoSession, Vec<(Transport, Duration)>, Vec<Event>) {
    let mut attempts = Failing { udp_sec, tcp, made: Vec::new() };
    let mut events = Vec::new();
    let failed = select(mode, &mut attempts, |event| events.push(event)).expect_err("all attempts fail");
    (failed, attempts.made, events)
}

#[test]
fn every_pair_of_failures_in_every_mode_ends_after_one_attempt_by_each_transport_at_most() {
    let long = HANDSHAKE_BUDGET;
    let short = HANDSHAKE_BUDGET_WITH_FALLBACK;
    for first in Happened::ALL {
        for second in Happened::ALL {
            for mode in [Mode::UdpSec, Mode::Tcp, Mode::Quic, Mode::Auto] {
                let (failed, made, events) = outcome(mode, first, second);
                let falls_back = mode == Mode::Auto
                    && matches!(
                        super::as_an_end(first),
                        Happened::Disabled | Happened::CannotBind | Happened::NoPath | Happened::Silence
                    );
                let expected = match mode {
                    Mode::UdpSec => vec![(Transport::UdpSec, long)],
                    Mode::Tcp => vec![(Transport::Tcp, long)],
                    Mode::Quic => vec![],
                    Mode::Auto if falls_back => vec![(Transport::UdpSec, short), (Transport::Tcp, long)],
                    Mode::Auto => vec![(Transport::UdpSec, short)],
                };
                assert_eq!(made, expected, "{mode}: {first}, {second}");
                assert_eq!(events.last(), Some(&Event::from(failed)), "{mode}: {first}, {second}");
                assert_eq!(events.len(), 1 + usize::from(falls_back), "{mode}: {first}, {second}");
            }
        }
    }
}

#[test]
fn without_a_stream_of_the_callers_own_quic_is_blocked() {
    let (failed, _, events) = outcome(Mode::Quic, Happened::Silence, Happened::Silence);
    assert_eq!(failed.reason, Happened::Disabled);
    assert_eq!(events[0].marker(), Some("dsoftbus: quic os blocked (no_std feasibility)"));
}

#[test]
fn an_attempt_cannot_fail_by_the_word_of_a_stranger() {
    for claimed in [Happened::Forgery, Happened::Connected] {
        let (failed, ..) = outcome(Mode::UdpSec, claimed, claimed);
        assert_eq!(failed.reason, Happened::Silence);
    }
}
