//! The command lines of QEMU: one guest, its frames in datagrams, its log in files.

use std::path::Path;
use std::process::Command;

use crate::profile::{Profile, Role};

/// Where a guest's frames go: datagrams between two loopback ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cable {
    /// The port that the guest receives at.
    pub own: u16,
    /// The relay's port for it.
    pub relay: u16,
}

impl Cable {
    /// `-netdev` for this cable.
    fn netdev(self, id: &str) -> String {
        format!(
            "dgram,id={id},local.type=inet,local.host=127.0.0.1,local.port={},\
             remote.type=inet,remote.host=127.0.0.1,remote.port={}",
            self.own, self.relay
        )
    }
}

/// QEMU's own network, which stands for the host at the relay's other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostNetwork {
    /// Its end of the link.
    pub cable: Cable,
    /// The part that the host plays; the guest plays the other.
    pub host_role: Role,
    /// The port of the listener: the guest's, or the host's own.
    pub port: u16,
}

/// One guest.
#[derive(Clone, Debug)]
pub struct Machine<'a> {
    /// QEMU.
    pub qemu: &'a Path,
    /// The guest's ELF image.
    pub image: &'a Path,
    /// Its boot arguments.
    pub arguments: &'a str,
    /// Which end it is.
    pub role: Role,
    /// What it is to show.
    pub profile: Profile,
    /// Its network card; none for a guest on its own.
    pub cable: Option<Cable>,
    /// In the same process, where the other end is this host.
    pub host: Option<HostNetwork>,
    /// Where its memory is looked into: the file that all its random bytes come from. QEMU then listens to its standard
    /// input.
    pub watched: Option<&'a Path>,
}

/// The address of each end, which guests know as their defaults.
const fn address(role: Role) -> &'static str {
    match role {
        Role::Listener => "10.0.0.1",
        Role::Connector => "10.0.0.2",
    }
}

const fn hardware_address(role: Role) -> &'static str {
    match role {
        Role::Listener => "52:54:00:00:00:01",
        Role::Connector => "52:54:00:00:00:02",
    }
}

impl Machine<'_> {
    /// The command that runs it, with its serial line and its console in these files.
    #[must_use]
    pub fn command(&self, serial: &Path, console: &Path) -> Command {
        let mut command = Command::new(self.qemu);
        command.args(["-machine", "virt", "-m", "64M", "-display", "none", "-monitor", "none", "-no-reboot"]);
        command.args(["-bios", "default", "-kernel"]).arg(self.image).args(["-append", self.arguments]);
        // Modern virtio only; legacy devices need other queues and gain nothing.
        command.args(["-global", "virtio-mmio.force-legacy=false"]);
        command.args(["-serial", &format!("file:{}", serial.display())]);
        command.args(["-chardev", &format!("file,id=vc,path={}", console.display())]);
        command.args(["-device", "virtio-serial-device", "-device", "virtconsole,chardev=vc"]);
        match self.watched {
            Some(entropy) => {
                let source = format!("rng-random,id=r0,filename={}", entropy.display());
                command.args(["-object", &source, "-device", "virtio-rng-device,rng=r0"]);
                command.args(["-qmp", "stdio"]);
            }
            None if self.profile == Profile::NoEntropy => {}
            None => {
                command.args(["-device", "virtio-rng-device"]);
            }
        }
        match self.cable {
            Some(cable) => {
                let card = format!("virtio-net-device,netdev=n0,mac={}", hardware_address(self.role));
                command.args(["-netdev", &cable.netdev("n0"), "-device", &card]);
            }
            None => {
                command.args(["-nic", "none"]);
            }
        }
        if let Some(host) = self.host {
            host.add_to(&mut command);
        }
        command
    }
}

impl HostNetwork {
    /// A hub joins QEMU's user network with the far end of the link, so that what goes to the host crosses the relay.
    fn add_to(self, command: &mut Command) {
        let guest = address(self.host_role.other());
        let mut user = format!("user,id=u0,net=10.0.0.0/24,host={},restrict=off", address(self.host_role));
        if self.host_role == Role::Connector {
            for protocol in ["udp", "tcp"] {
                user += &format!(",hostfwd={protocol}:127.0.0.1:{}-{guest}:{}", self.port, self.port);
            }
        }
        command.args(["-netdev", &user, "-netdev", &self.cable.netdev("d0")]);
        for (number, netdev) in ["u0", "d0"].into_iter().enumerate() {
            command.args(["-netdev", &format!("hubport,id=h{number},hubid=0,netdev={netdev}")]);
        }
    }
}

#[cfg(test)]
mod tests;
