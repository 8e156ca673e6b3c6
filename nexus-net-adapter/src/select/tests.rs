//! The whole table, and what it must never allow.

use std::format;
use std::string::String;
use std::vec::Vec;

use udp_sec::error::CloseCode;
use udp_sec::time::Duration;

use super::{Event, Happened, Mode, Selector, Step, Transport, UnknownMode};

/// One letter for what follows: Connected, Keep trying, Tcp instead, Failed. Columns in the order of `Happened::ALL`.
const TABLE: [(Mode, Transport, &str); 5] = [
    // connected, disabled, cannot bind, no path, silence, forgery, refused, identity, entropy, connection, limit
    (Mode::Auto, Transport::UdpSec, "CTTTTKFFFFF"),
    (Mode::Auto, Transport::Tcp, "CFFFFKFFFFF"),
    (Mode::UdpSec, Transport::UdpSec, "CFFFFKFFFFF"),
    (Mode::Tcp, Transport::Tcp, "CFFFFKFFFFF"),
    (Mode::Quic, Transport::Quic, "CFFFFKFFFFF"),
];

/// A selector in the middle of an attempt by `transport`.
fn attempting(mode: Mode, transport: Transport) -> Selector {
    let mut selector = Selector::new(mode);
    if (mode, transport) == (Mode::Auto, Transport::Tcp) {
        selector.report(Happened::Silence);
    }
    assert!(matches!(selector.step(), Step::Attempt { transport: first, .. } if first == transport));
    selector
}

fn letter(transport: Transport, selector: &Selector) -> char {
    match selector.step() {
        Step::Selected(selected) if selected == transport => 'C',
        Step::Attempt { transport: next, .. } if next == transport => 'K',
        Step::Attempt { transport: Transport::Tcp, .. } => 'T',
        Step::Failed { transport: last, .. } if last == transport => 'F',
        step => panic!("{step:?}"),
    }
}

#[test]
fn every_combination_is_decided_as_the_table_says() {
    // The same 1 000 times over: nothing but the arguments decides.
    for _ in 0..1000 {
        for (mode, transport, row) in TABLE {
            let found: String = Happened::ALL
                .into_iter()
                .map(|happened| {
                    let mut selector = attempting(mode, transport);
                    selector.report(happened);
                    letter(transport, &selector)
                })
                .collect();
            assert_eq!(found, row, "{mode} by {transport}");
        }
    }
    // The table is whole: every attempt that any mode can come to has a row.
    for mode in Mode::ALL {
        for first in Happened::ALL {
            let mut selector = Selector::new(mode);
            selector.report(first);
            if let Step::Attempt { transport, .. } = selector.step() {
                assert!(TABLE.iter().any(|(row, by, _)| (*row, *by) == (mode, transport)));
            }
        }
    }
}

/// Every sequence of five reports in every mode: what must hold whatever happens.
#[test]
fn no_sequence_downgrades_or_tries_without_end() {
    let all = Happened::ALL;
    for mode in Mode::ALL {
        for code in 0..all.len().pow(5) {
            let mut selector = Selector::new(mode);
            let mut tried = Vec::new();
            let mut rest = code;
            for _ in 0..5 {
                if let Step::Attempt { transport, .. } = selector.step() {
                    if !tried.contains(&transport) {
                        tried.push(transport);
                    }
                }
                let before = selector.step();
                let event = selector.report(all[rest % all.len()]);
                rest /= all.len();
                assert_eq!(event.is_some(), selector.step() != before, "each decision is an event, once");
                if !matches!(before, Step::Attempt { .. }) {
                    assert_eq!(selector.step(), before, "a result is final");
                }
            }
            let allowed: &[Transport] = match mode {
                Mode::Auto => &[Transport::UdpSec, Transport::Tcp],
                Mode::UdpSec => &[Transport::UdpSec],
                Mode::Tcp => &[Transport::Tcp],
                Mode::Quic => &[Transport::Quic],
            };
            assert!(allowed.starts_with(&tried), "{mode}: {tried:?}");
        }
    }
}

#[test]
fn the_budget_is_short_only_where_a_fallback_follows() {
    let budget = |mode, transport| match attempting(mode, transport).step() {
        Step::Attempt { budget, .. } => budget,
        step => panic!("{step:?}"),
    };
    for (mode, transport, _) in TABLE {
        let expected = if (mode, transport) == (Mode::Auto, Transport::UdpSec) { 5 } else { 30 };
        assert_eq!(budget(mode, transport), Duration::from_secs(expected), "{mode} by {transport}");
    }
}

fn markers(mode: Mode, reports: &[Happened]) -> Vec<&'static str> {
    let mut selector = Selector::new(mode);
    reports.iter().filter_map(|happened| selector.report(*happened)?.marker()).collect()
}

#[test]
fn the_markers_are_those_that_logs_are_judged_by() {
    use Happened::{Connected, Disabled, EntropyUnavailable, Refused, Silence};
    assert_eq!(markers(Mode::Auto, &[Connected]), ["dsoftbusd: transport selected udp-sec"]);
    for unavailable in [Disabled, Happened::CannotBind, Happened::NoPath, Silence] {
        assert_eq!(
            markers(Mode::Auto, &[unavailable, Connected]),
            ["dsoftbus: udp-sec os disabled (fallback tcp)", "dsoftbusd: transport selected tcp"]
        );
        assert_eq!(
            markers(Mode::UdpSec, &[unavailable, Connected]),
            ["dsoftbus: udp-sec unavailable (strict, no fallback)"]
        );
    }
    assert_eq!(markers(Mode::Tcp, &[Connected]), ["dsoftbusd: transport selected tcp"]);
    assert_eq!(markers(Mode::Quic, &[Disabled]), ["dsoftbus: quic os blocked (no_std feasibility)"]);
    assert_eq!(markers(Mode::Quic, &[Connected]), ["dsoftbusd: transport selected quic"]);
    for mode in [Mode::Auto, Mode::UdpSec] {
        assert_eq!(markers(mode, &[EntropyUnavailable]), ["dsoftbus: udp-sec refused (entropy unavailable)"]);
    }
    // A refusal is not unavailability, and a failure without a marker prints none that would be wrong.
    assert!(markers(Mode::UdpSec, &[Refused(CloseCode::NoAppProtocol)]).is_empty());
    assert_eq!(markers(Mode::Auto, &[Silence, Silence]).len(), 1);
}

#[test]
fn modes_have_names_and_nothing_else_is_one() {
    for mode in Mode::ALL {
        assert_eq!(mode.name().parse(), Ok(mode));
    }
    assert_eq!(Mode::from_setting(None), Ok(Mode::Auto));
    assert_eq!(Mode::from_setting(Some("udp-sec")), Ok(Mode::UdpSec));
    for wrong in ["", "UDP-SEC", "udpsec", "udp", " tcp", "auto,tcp"] {
        assert_eq!(Mode::from_setting(Some(wrong)), Err(UnknownMode), "{wrong:?}");
    }
}

#[test]
fn events_say_why() {
    let mut selector = Selector::new(Mode::Auto);
    let fell_back = selector.report(Happened::NoPath).unwrap();
    assert_eq!(format!("{fell_back}"), "udp-sec: no path of 1200 bytes; trying tcp");
    let failed = selector.report(Happened::Refused(CloseCode::SessionLimit)).unwrap();
    assert_eq!(format!("{failed}"), "tcp: refused by the peer: session limit reached (mode auto)");
    assert_eq!(
        failed,
        Event::Failed {
            mode: Mode::Auto,
            transport: Transport::Tcp,
            reason: Happened::Refused(CloseCode::SessionLimit)
        }
    );
}
