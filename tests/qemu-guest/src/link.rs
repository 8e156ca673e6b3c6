//! What an udp-sec endpoint of this guest runs on: the network, or a wire in memory. One type for both, so that the
//! image holds the endpoint once.

use nexus_net_adapter::backend::memory::{VirtualClock, WireSocket};
use nexus_net_adapter::backend::smoltcp::SmoltcpUdp;
use nexus_net_adapter::net::{NetSocketAddrV4, PolledStack, StackDatagrams};
use nexus_net_adapter::udp::{Clock, Datagrams, Received, SendError};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::{Path, Transmit};
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Event;

use crate::network::{Net, Stack, Ticks};
use crate::{events, trace};

/// Datagrams under way in each direction of the wire.
pub const WIRE_QUEUE: usize = 64;

/// A socket.
pub enum Link {
    /// Of the network.
    Network(&'static mut NetworkSocket),
    /// Of the wire.
    Memory(&'static mut WireSocket<'static, WIRE_QUEUE>),
}

/// A socket of the network, with its buffers.
pub type NetworkSocket = StackDatagrams<'static, Stack, Ticks, SmoltcpUdp<'static>, NetSocketAddrV4>;

impl Datagrams for Link {
    fn buffer(&mut self) -> &mut [u8] {
        match self {
            Self::Network(socket) => socket.buffer(),
            Self::Memory(socket) => socket.buffer(),
        }
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        match self {
            Self::Network(socket) => socket.send(now, transmit),
            Self::Memory(socket) => apart(|| socket.send(now, transmit)),
        }
    }

    fn receive(&mut self, now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        // Once, not once for each kind of socket.
        let deliver: &mut dyn FnMut(Path, &mut [u8]) = &mut deliver;
        match self {
            Self::Network(socket) => socket.receive(now, deliver),
            Self::Memory(socket) => apart(|| socket.receive(now, deliver)),
        }
    }
}

/// The wire moves datagrams through the stack; the network's frames are not to have room for that.
#[inline(never)]
fn apart<R>(call: impl FnOnce() -> R) -> R {
    call()
}

/// A clock, and where all events are counted and logged.
#[derive(Clone, Copy)]
pub enum Time {
    /// The machine's.
    Network(&'static Net),
    /// One that stands still until somebody waits.
    Memory(&'static VirtualClock),
}

impl Clock for Time {
    fn now(&self) -> Instant {
        match self {
            Self::Network(net) => PolledStack::now(net),
            Self::Memory(clock) => clock.now(),
        }
    }

    fn idle(&self, until: Instant) {
        match self {
            Self::Network(net) => net.wait(until),
            Self::Memory(clock) => clock.idle(until),
        }
    }

    fn observe(&self, _: SessionId, event: Event) {
        events::count(event);
        trace::event(event);
    }
}
