//! The console device, sending only: the side channel for the binary log. (The driver crate's own console allocates.)

use virtio_drivers::PAGE_SIZE;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, Transport as _};

use super::Transport;
use super::hal::Memory;

/// The queue by which the only port sends (Virtual I/O Device 1.2, section 5.3.2).
const TRANSMIT: u16 = 1;
const DEPTH: usize = 2;
/// The only feature that has to be taken where it is offered: not to be a legacy device.
const VERSION_1: u64 = 1 << 32;

/// A console that bytes can be sent to.
pub struct Console {
    transport: Transport,
    queue: VirtQueue<Memory, DEPTH>,
}

impl Console {
    /// The device behind `transport`.
    pub fn new(mut transport: Transport) -> Self {
        // The steps of section 3.1.1.
        transport.set_status(DeviceStatus::empty());
        transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER);
        let features = transport.read_device_features() & VERSION_1;
        transport.write_driver_features(features);
        transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER | DeviceStatus::FEATURES_OK);
        transport.set_guest_page_size(PAGE_SIZE as u32);
        let queue = VirtQueue::new(&mut transport, TRANSMIT, false, false).expect("a console has this queue");
        transport.finish_init();
        Self { transport, queue }
    }

    /// Sends `bytes`, and waits until the host has them.
    pub fn send(&mut self, bytes: &[u8]) {
        // A log that cannot be written is no reason to stop.
        _ = self.queue.add_notify_wait_pop(&[bytes], &mut [], &mut self.transport);
    }
}
