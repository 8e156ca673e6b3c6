//! The system's own stack, over its loopback.

use nexus_net_adapter::backend::host::net::HostNet;
use nexus_net_adapter::net::{NetInstant, NetStack, Ticker};

use crate::world::World;

pub(crate) struct Host {
    net: HostNet,
    now: NetInstant,
}

pub(crate) fn world() -> Host {
    Host { net: HostNet::new(), now: 0 }
}

impl World for Host {
    type Stack = HostNet;

    fn near(&mut self) -> &mut HostNet {
        &mut self.net
    }

    fn far(&mut self) -> &mut HostNet {
        &mut self.net
    }

    fn far_ip(&self) -> [u8; 4] {
        [127, 0, 0, 1]
    }

    fn now(&self) -> NetInstant {
        self.now
    }

    fn step(&mut self) {
        self.net.sleep(self.net.now() + 1000);
        self.now = self.net.now();
        self.net.poll(self.now);
    }
}
