//! The facade's own parts: how ends of sessions are told, how time is converted, what a polled stack sleeps over.

use core::cell::{Cell, RefCell};
use core::net::SocketAddr;
use core::num::NonZeroU64;
use std::vec::Vec;

use proptest::prelude::*;
use udp_sec::error::CloseCode;
use udp_sec::time::{Duration, Instant};

use super::{
    MAX_TCP_WRITE_BYTES, MAX_UDP_DATAGRAM_BYTES, NetError, NetInstant, NetSocketAddrV4, NetSocketAddrV6,
    NetStack, PolledStack, TickRate, Ticker, UdpSocket, not_now, validate_tcp_write_len,
    validate_udp_payload_len,
};
use crate::backend::memory_net::MemoryNet;
use crate::stream::{CloseReason, StreamError};

#[test]
fn every_end_of_a_session_has_its_word() {
    let code = CloseCode::AppAbort;
    let words = [
        (StreamError::WouldBlock, NetError::WouldBlock),
        (StreamError::TimedOut, NetError::TimedOut),
        (StreamError::Finished, NetError::Disconnected),
        (StreamError::Closed(CloseReason::Complete), NetError::Disconnected),
        (StreamError::Closed(CloseReason::ByPeer(code)), NetError::Disconnected),
        (StreamError::Closed(CloseReason::ByUs(code)), NetError::Disconnected),
        (StreamError::Closed(CloseReason::IdleTimeout), NetError::Disconnected),
        (StreamError::Closed(CloseReason::Superseded), NetError::Disconnected),
        (StreamError::Closed(CloseReason::ConnectionLost), NetError::Disconnected),
        (StreamError::Closed(CloseReason::Refused(code)), NetError::NotConnected),
        (StreamError::Closed(CloseReason::HandshakeTimeout), NetError::NotConnected),
        (StreamError::Closed(CloseReason::NoPath), NetError::NotConnected),
    ];
    for (end, word) in words {
        assert_eq!(NetError::from(end), word, "{end}");
    }
}

#[test]
fn bounds_are_those_of_the_contract() {
    assert_eq!((MAX_UDP_DATAGRAM_BYTES, MAX_TCP_WRITE_BYTES), (1500, 16_384));
    assert_eq!(validate_udp_payload_len(1500), Ok(()));
    assert!(matches!(validate_udp_payload_len(1501), Err(NetError::InvalidInput(_))));
    assert_eq!(validate_tcp_write_len(16_384), Ok(()));
    assert!(matches!(validate_tcp_write_len(16_385), Err(NetError::InvalidInput(_))));
}

#[test]
fn late_is_behind_the_deadline() {
    assert_eq!(not_now(None, u64::MAX), NetError::WouldBlock);
    assert_eq!(not_now(Some(5), 5), NetError::WouldBlock);
    assert_eq!(not_now(Some(5), 6), NetError::TimedOut);
}

#[test]
fn addresses_keep_their_version() {
    let (v4, v6) = (NetSocketAddrV4::new([192, 0, 2, 7], 9), NetSocketAddrV6::new([7; 16], 9));
    assert_eq!(NetSocketAddrV4::try_from(SocketAddr::from(v4)), Ok(v4));
    assert_eq!(NetSocketAddrV6::try_from(SocketAddr::from(v6)), Ok(v6));
    assert!(NetSocketAddrV4::try_from(SocketAddr::from(v6)).is_err());
    assert!(NetSocketAddrV6::try_from(SocketAddr::from(v4)).is_err());
}

#[test]
fn a_tick_is_what_its_rate_says() {
    let second = Instant::ZERO + Duration::from_secs(1);
    for (rate, ticks) in
        [(TickRate::MILLIS, 1000), (TickRate::MICROS, 1_000_000), (TickRate::NANOS, 1_000_000_000)]
    {
        assert_eq!((rate.ticks(second), rate.instant(ticks)), (ticks, second));
        assert_eq!((rate.ticks(Instant::MAX), rate.ticks(Instant::ZERO)), (u64::MAX, 0));
    }
    assert_eq!(TickRate::MILLIS.instant(u64::MAX), Instant::MAX, "saturates");
    assert_eq!(TickRate::MILLIS.ticks(Instant::from_micros(1)), 1, "never too early");
}

proptest! {
    /// Who sleeps until the tick of a deadline finds the deadline passed, and not by more than a tick.
    #[test]
    fn a_deadline_survives_the_conversion(rate in 1..u64::MAX, micros in 0..u64::MAX / 2) {
        let rate = TickRate::new(NonZeroU64::new(rate).expect("not 0"));
        let deadline = Instant::from_micros(micros);
        let ticks = rate.ticks(deadline);
        if ticks < u64::MAX {
            prop_assert!(rate.instant(ticks) >= deadline);
            prop_assert!(ticks == 0 || rate.instant(ticks - 1) < deadline || rate.instant(1) <= Instant::from_micros(1));
        }
    }
}

/// Time that passes when somebody sleeps; remembers until when they meant to.
#[derive(Default)]
struct Sleeper {
    now: Cell<NetInstant>,
    sleeps: RefCell<Vec<NetInstant>>,
}

impl Ticker for Sleeper {
    fn now(&self) -> NetInstant {
        self.now.get()
    }

    fn sleep(&self, until: NetInstant) {
        self.sleeps.borrow_mut().push(until);
        self.now.set(until);
    }
}

#[test]
fn nobody_sleeps_over_what_was_handed_to_the_stack() {
    let net = MemoryNet::<4, 4096>::new();
    let stack = PolledStack::new(net.stack([192, 0, 2, 1]), Sleeper::default(), TickRate::MILLIS);
    let mut socket = stack.open(|stack| stack.udp_bind(NetSocketAddrV4::new([0; 4], 7))).expect("free");
    let second = Instant::ZERO + Duration::from_secs(1);
    stack.wait(second);
    assert!(stack.ticker().sleeps.borrow().is_empty(), "opening is something to poll for");
    stack.wait(second);
    assert_eq!(*stack.ticker().sleeps.borrow(), [1000], "until the deadline, in ticks");

    // The stack itself says that there is something to do.
    socket.send_to(b"to ourselves", NetSocketAddrV4::new([192, 0, 2, 1], 7)).expect("room");
    stack.wait(second + Duration::from_secs(9));
    assert_eq!(stack.ticker().sleeps.borrow().len(), 1);
    assert_eq!(stack.now(), second);
    assert_eq!(socket.recv_from(&mut [0; 99]).map(|(count, _)| count), Ok(12), "and it was polled");
}

#[test]
fn a_stack_that_is_looked_at_is_not_polled_meanwhile() {
    let net = MemoryNet::<4, 4096>::new();
    let stack = PolledStack::new(net.stack([192, 0, 2, 1]), Sleeper::default(), TickRate::MILLIS);
    let opened = stack.look(|_| {
        stack.poll();
        stack.open(|stack| stack.udp_bind(NetSocketAddrV4::new([0; 4], 7))).err()
    });
    assert!(matches!(opened, Some(NetError::Internal(_))));
}
