//! What the guest has of virtio devices: a network card, a random source, and a console for the binary log.

mod console;
mod entropy;
mod hal;
mod net;

use core::ptr::NonNull;

use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport as _};

pub use console::Console;
pub use entropy::Entropy;
pub use net::{NetDevice, frames_sent};

use crate::platform::slots;
use crate::say;

type Transport = MmioTransport<'static>;

/// What there is, besides the random source, which anybody may ask.
#[derive(Default)]
pub struct Devices {
    /// The network card.
    pub net: Option<NetDevice>,
    /// Where the binary log goes.
    pub console: Option<Console>,
}

/// Looks into every place. To be called once.
pub fn discover() -> Devices {
    let mut devices = Devices::default();
    for slot in 0..slots::COUNT {
        let Some(transport) = transport(slot) else { continue };
        match transport.device_type() {
            DeviceType::Network => devices.net = Some(NetDevice::new(transport, slot)),
            DeviceType::EntropySource => entropy::provide(transport),
            DeviceType::Console => devices.console = Some(Console::new(transport)),
            other => say!("device: {other:?} in slot {slot} is not used"),
        }
    }
    devices
}

fn transport(slot: usize) -> Option<Transport> {
    let header = NonNull::new(slots::address(slot) as *mut VirtIOHeader)?;
    // SAFETY: a place for a device on this machine, looked at by nobody else. An empty one is an error here.
    unsafe { MmioTransport::new(header, slots::SIZE) }.ok()
}
