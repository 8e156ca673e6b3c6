//! smoltcp, by itself on a loopback, and two of it on the ends of a link.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use lossy_link::{Counters, Link, LinkConfig, direction_seeds};
use nexus_net_adapter::backend::smoltcp::smoltcp::iface::{Config, Interface, SocketStorage};
use nexus_net_adapter::backend::smoltcp::smoltcp::phy::{self, Device, DeviceCapabilities, Loopback, Medium};
use nexus_net_adapter::backend::smoltcp::smoltcp::time::Instant as SmoltcpInstant;
use nexus_net_adapter::backend::smoltcp::smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr};
use nexus_net_adapter::backend::smoltcp::{SmoltcpStack, Sockets, TcpBuffers, UdpBuffers};
use nexus_net_adapter::net::{NetInstant, NetStack, TickRate};
use udp_sec::time::{Duration, Instant};

use crate::sessions::Lab;
use crate::world::World;

pub(crate) const FAR: [u8; 4] = [192, 0, 2, 2];
/// From the block that is set aside for documents (RFC 3849).
pub(crate) const NEAR_V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(crate) const FAR_V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

pub(crate) type Stack<D> = SmoltcpStack<'static, D>;

/// A stack with the memory of a small device: 4 UDP and 12 TCP sockets.
pub(crate) fn stack<D: Device>(mut device: D, host: u8, rate: TickRate) -> Stack<D> {
    // Sockets of a test may live as long as they like.
    let storage = Box::leak(Box::new([SocketStorage::EMPTY; 16]));
    let mut sockets = Sockets::new(storage);
    for _ in 0..4 {
        sockets.add_udp(Box::leak(Box::new(UdpBuffers::<16, 24_000>::new()))).expect("room");
    }
    for _ in 0..12 {
        sockets.add_tcp(Box::leak(Box::new(TcpBuffers::<16_384, 16_384>::new()))).expect("room");
    }
    let sockets = Box::leak(Box::new(sockets));

    let address = match device.capabilities().medium {
        Medium::Ethernet => HardwareAddress::Ethernet(EthernetAddress([2, 0, 0, 0, 0, host])),
        Medium::Ip => HardwareAddress::Ip,
    };
    let mut config = Config::new(address);
    config.random_seed = u64::from(host);
    let mut interface = Interface::new(config, &mut device, SmoltcpInstant::ZERO);
    interface.update_ip_addrs(|own| {
        let mut v6 = NEAR_V6;
        v6[15] = host;
        let addresses = [
            IpCidr::new(IpAddr::from([192, 0, 2, host]).into(), 24),
            IpCidr::new(IpAddr::from(v6).into(), 64),
        ];
        own.extend(addresses);
    });
    SmoltcpStack::new(device, interface, sockets, rate, u64::from(host))
}

/// A stack whose frames come back to it.
pub(crate) struct Alone {
    stack: Stack<Loopback>,
    now: NetInstant,
}

pub(crate) fn loopback() -> Alone {
    Alone { stack: stack(Loopback::new(Medium::Ethernet), 2, TickRate::MILLIS), now: 0 }
}

impl World for Alone {
    type Stack = Stack<Loopback>;

    fn near(&mut self) -> &mut Self::Stack {
        &mut self.stack
    }

    fn far(&mut self) -> &mut Self::Stack {
        &mut self.stack
    }

    fn far_ip(&self) -> [u8; 4] {
        FAR
    }

    fn now(&self) -> NetInstant {
        self.now
    }

    fn step(&mut self) {
        self.now += 1;
        self.stack.poll(self.now);
    }
}

type Wire = Rc<RefCell<Link>>;

/// One end of two links, one each way.
pub(crate) struct LinkEnd {
    medium: Medium,
    mtu: usize,
    inbound: Wire,
    outbound: Wire,
}

pub(crate) struct Frame(Vec<u8>);

pub(crate) struct Slot<'d> {
    now: Instant,
    outbound: &'d Wire,
}

impl Device for LinkEnd {
    type RxToken<'d> = Frame;
    type TxToken<'d> = Slot<'d>;

    fn receive(&mut self, now: SmoltcpInstant) -> Option<(Frame, Slot<'_>)> {
        let now = micros(now);
        let frame = self.inbound.borrow_mut().poll(now)?;
        Some((Frame(frame.data), Slot { now, outbound: &self.outbound }))
    }

    fn transmit(&mut self, now: SmoltcpInstant) -> Option<Slot<'_>> {
        Some(Slot { now: micros(now), outbound: &self.outbound })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = self.medium;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

fn micros(now: SmoltcpInstant) -> Instant {
    Instant::from_micros(now.total_micros().unsigned_abs())
}

impl phy::RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl phy::TxToken for Slot<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = vec![0; len];
        let result = write(&mut frame);
        self.outbound.borrow_mut().send(self.now, (), frame);
        result
    }
}

/// Two stacks joined by a link that takes frames, in virtual time.
pub(crate) struct Joined {
    pub(crate) near: Stack<LinkEnd>,
    pub(crate) far: Stack<LinkEnd>,
    wires: [Wire; 2],
    now: NetInstant,
}

/// Both ends of two links.
pub(crate) fn ends(medium: Medium, mtu: usize, config: &LinkConfig, seed: u64) -> ([LinkEnd; 2], [Wire; 2]) {
    let wires = direction_seeds(seed).map(|seed| Rc::new(RefCell::new(Link::new(config.clone(), seed))));
    let [there, back] = wires.clone();
    let end = |inbound: &Wire, outbound: &Wire| LinkEnd {
        medium,
        mtu,
        inbound: Rc::clone(inbound),
        outbound: Rc::clone(outbound),
    };
    ([end(&back, &there), end(&there, &back)], wires)
}

pub(crate) fn joined(medium: Medium, mtu: usize, config: &LinkConfig, seed: u64) -> Joined {
    let ([near, far], wires) = ends(medium, mtu, config, seed);
    Joined { near: stack(near, 1, TickRate::MICROS), far: stack(far, 2, TickRate::MICROS), wires, now: 0 }
}

/// An Ethernet that loses nothing.
pub(crate) fn link() -> Joined {
    joined(Medium::Ethernet, 1514, &LinkConfig::default().delay(Duration::from_millis(1)), 1)
}

/// Two stacks on the link, to be polled by a lab, and what the link has done so far.
pub(crate) fn lab(
    medium: Medium,
    mtu: usize,
    config: &LinkConfig,
    seed: u64,
) -> (Lab<Stack<LinkEnd>>, impl Fn() -> [Counters; 2] + use<>) {
    let Joined { near, far, wires, .. } = joined(medium, mtu, config, seed);
    let counted = wires.clone();
    let arrivals = move || wires.iter().filter_map(|wire| wire.borrow().next_delivery()).min();
    (Lab::new(near, far, arrivals), move || counted.each_ref().map(|wire| *wire.borrow().counters()))
}

impl Joined {
    /// Takes the next frame to the far stack off the link, wherever it is by now.
    pub(crate) fn take_frame(&mut self) -> Option<Vec<u8>> {
        let [there, _] = &self.wires;
        Some(there.borrow_mut().poll(Instant::MAX)?.data)
    }

    /// Puts a frame to the far stack on the link.
    pub(crate) fn put_frame(&mut self, frame: Vec<u8>) {
        let [there, _] = &self.wires;
        there.borrow_mut().send(Instant::from_micros(self.now), (), frame);
    }

    /// Both go on at `now`.
    pub(crate) fn from(mut self, now: NetInstant) -> Self {
        self.now = now;
        self
    }
}

impl World for Joined {
    type Stack = Stack<LinkEnd>;

    fn near(&mut self) -> &mut Self::Stack {
        &mut self.near
    }

    fn far(&mut self) -> &mut Self::Stack {
        &mut self.far
    }

    fn far_ip(&self) -> [u8; 4] {
        FAR
    }

    fn now(&self) -> NetInstant {
        self.now
    }

    /// To the next thing that is due, or a millisecond on.
    fn step(&mut self) {
        let arrivals = self.wires.iter().filter_map(|wire| wire.borrow().next_delivery());
        let due = arrivals.map(Instant::as_micros).chain(self.near.next_wake()).chain(self.far.next_wake());
        let next = due.min().unwrap_or(u64::MAX).min(self.now + 1000);
        self.now = self.now.max(next);
        self.near.poll(self.now);
        self.far.poll(self.now);
    }
}
