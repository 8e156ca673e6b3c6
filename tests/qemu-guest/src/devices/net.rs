//! The network card, as smoltcp wants one: frames in, frames out, all buffers static.

use core::sync::atomic::{AtomicU64, Ordering};

use smoltcp::phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;
use virtio_drivers::device::net::VirtIONetRaw;

use super::Transport;
use super::hal::Memory;
use crate::platform::interrupts;
use crate::platform::statics::Once;

/// Descriptors of each queue; legacy devices need two for a frame.
const DEPTH: usize = 64;
/// Frames that can wait in each direction.
const FRAMES: usize = 32;
/// Room for the largest frame and the device's header; the least that the driver takes.
const BUFFER: usize = 1536;
/// Ethernet's own header.
const HEADER: usize = 14;
/// Frames larger than the link carries are cut by nobody: the most there is room for.
pub const MTU_MAX: usize = 1500;

type Card = VirtIONetRaw<Memory, Transport, DEPTH>;
type Buffers = [[u8; BUFFER]; FRAMES];

static RECEIVE: Once<Buffers> = Once::new([[0; BUFFER]; FRAMES]);
static TRANSMIT: Once<Buffers> = Once::new([[0; BUFFER]; FRAMES]);

/// A virtio network card with the buffers that are under way.
pub struct NetDevice {
    inbound: Inbound,
    outbound: Outbound,
    mtu: usize,
}

/// What the device fills, and the frame that is being looked at.
struct Inbound {
    buffers: &'static mut Buffers,
    /// By which token the device knows each buffer.
    tokens: [u16; FRAMES],
    frame: [u8; BUFFER],
}

/// The card, and what it sends.
struct Outbound {
    card: Card,
    buffers: &'static mut Buffers,
    /// By which token the device knows each buffer that it has not sent yet, with the length of what is in it.
    pending: [Option<(u16, usize)>; FRAMES],
}

/// Frames that were given to the card so far.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Frames that have left so far.
pub fn frames_sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

impl NetDevice {
    /// The device behind `transport` in `slot`. From now on it ends a sleep when it has something to say.
    pub fn new(transport: Transport, slot: usize) -> Self {
        let mut card = Card::new(transport).expect("a network card");
        let buffers = RECEIVE.take();
        let mut tokens = [0; FRAMES];
        for (buffer, token) in buffers.iter_mut().zip(&mut tokens) {
            // SAFETY: the buffer is static, and left alone until the device has given it back.
            *token = unsafe { card.receive_begin(buffer) }.expect("room for every buffer");
        }
        card.enable_interrupts();
        interrupts::enable(slot);
        Self {
            inbound: Inbound { buffers, tokens, frame: [0; BUFFER] },
            outbound: Outbound { card, buffers: TRANSMIT.take(), pending: [None; FRAMES] },
            mtu: MTU_MAX,
        }
    }

    /// Its address.
    pub fn address(&self) -> EthernetAddress {
        EthernetAddress(self.outbound.card.mac_address())
    }

    /// Sets what the link is said to carry in one packet, in bytes, IP header included.
    pub fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu.min(MTU_MAX);
    }
}

impl Inbound {
    /// Moves the next frame into `frame`, and lets the device fill its buffer again.
    fn next(&mut self, card: &mut Card) -> Option<usize> {
        loop {
            let token = card.poll_receive()?;
            let place = self.tokens.iter().position(|known| *known == token)?;
            let buffer = &mut self.buffers[place];
            // SAFETY: the buffer that this token was given out for.
            let received = unsafe { card.receive_complete(token, buffer) };
            let contents = received.ok().and_then(|(header, len)| buffer.get(header..header + len));
            let len = contents.map(|contents| {
                self.frame[..contents.len()].copy_from_slice(contents);
                contents.len()
            });
            // SAFETY: as at the beginning.
            self.tokens[place] = unsafe { card.receive_begin(buffer) }.expect("room for every buffer");
            if len.is_some() {
                return len;
            }
        }
    }
}

impl Outbound {
    /// A buffer that nothing is sent from.
    fn free(&mut self) -> Option<usize> {
        while let Some(token) = self.card.poll_transmit() {
            let known = |pending: &Option<(u16, usize)>| pending.is_some_and(|(known, _)| known == token);
            let place = self.pending.iter().position(known)?;
            let (_, len) = self.pending[place].take()?;
            // SAFETY: the buffer that this token was given out for.
            _ = unsafe { self.card.transmit_complete(token, &self.buffers[place][..len]) };
        }
        if self.card.can_send() { self.pending.iter().position(Option::is_none) } else { None }
    }
}

impl Device for NetDevice {
    type RxToken<'a> = Frame<'a>;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Frame<'_>, Room<'_>)> {
        let place = self.outbound.free()?;
        let len = self.inbound.next(&mut self.outbound.card)?;
        Some((Frame(&self.inbound.frame[..len]), Room { outbound: &mut self.outbound, place }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room<'_>> {
        let place = self.outbound.free()?;
        Some(Room { outbound: &mut self.outbound, place })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.mtu + HEADER;
        let mut checksum = ChecksumCapabilities::default();
        checksum.udp = Checksum::Both;
        capabilities.checksum = checksum;
        capabilities
    }
}

/// A frame that has come.
pub struct Frame<'a>(&'a [u8]);

impl RxToken for Frame<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(self.0)
    }
}

/// Room for a frame to send.
pub struct Room<'a> {
    outbound: &'a mut Outbound,
    place: usize,
}

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let Self { outbound, place } = self;
        let buffer = &mut outbound.buffers[place];
        let header = outbound.card.fill_buffer_header(buffer).expect("room for the header");
        let end = header + len;
        let result = fill(&mut buffer[header..end]);
        // SAFETY: the buffer is static, and left alone until the device has given it back.
        let sent = unsafe { outbound.card.transmit_begin(&buffer[..end]) };
        // A frame that finds no room is lost, as on any link.
        outbound.pending[place] = sent.ok().map(|token| (token, end));
        SENT.fetch_add(1, Ordering::Relaxed);
        result
    }
}
