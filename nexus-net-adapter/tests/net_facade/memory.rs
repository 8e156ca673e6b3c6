//! The stacks of a network in memory.

use nexus_net_adapter::backend::memory_net::{MemoryNet, MemoryStack};
use nexus_net_adapter::net::{NetInstant, NetSocketAddrV4, NetStack};
use nexus_net_adapter::stream::ReliableStream;

use crate::sessions::Lab;
use crate::world::{ANY, World};

pub(crate) const NEAR: [u8; 4] = [192, 0, 2, 1];
pub(crate) const FAR: [u8; 4] = [192, 0, 2, 2];

type Net = MemoryNet<16, 8192>;
pub(crate) type Stack = MemoryStack<'static, 16, 8192>;

pub(crate) struct Memory {
    near: Stack,
    far: Stack,
    now: NetInstant,
}

pub(crate) fn world() -> Memory {
    // Sockets of a test may live as long as they like.
    let net: &'static Net = Box::leak(Box::default());
    Memory { near: net.stack(NEAR), far: net.stack(FAR), now: 0 }
}

impl World for Memory {
    type Stack = Stack;

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

    fn step(&mut self) {
        self.now += 1;
        self.near.poll(self.now);
        self.far.poll(self.now);
    }
}

/// The stacks of a network of their own, to be polled by a lab.
pub(crate) fn lab() -> Lab<Stack> {
    let Memory { near, far, .. } = world();
    Lab::new(near, far, || None)
}

pub(crate) fn secure_tcp(lab: &Lab<Stack>) -> (impl ReliableStream + use<>, impl ReliableStream + use<>) {
    lab.tcp_session(FAR)
}

pub(crate) fn udp_sec(lab: &Lab<Stack>) -> (impl ReliableStream + use<>, impl ReliableStream + use<>) {
    lab.udp_sec_session(
        |stack| stack.udp_bind(ANY),
        |stack| stack.udp_bind(ANY),
        |local| NetSocketAddrV4::new(FAR, local.port),
    )
}
