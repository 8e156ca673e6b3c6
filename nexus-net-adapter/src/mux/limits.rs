//! Every bound of mux v2. An [`Engine`](super::Engine) may be built with smaller capacities, never with larger ones.

/// Streams at once, those of both sides together.
pub const STREAMS_MAX: usize = 128;

/// Payload of one frame, in bytes. What is larger is sent in several frames.
pub const FRAME_PAYLOAD_MAX: usize = 32 * 1024;

/// Bytes buffered for one stream, both directions together.
pub const BUFFERED_MAX: usize = 256 * 1024;

/// Credit that a stream begins with, in bytes.
pub const INITIAL_CREDIT_MAX: u32 = 64 * 1024;

/// Longest name of a stream, in bytes of UTF-8.
pub const NAME_MAX: usize = 64;

/// Priority classes: 0, the highest, to 7.
pub const CLASSES: usize = 8;

/// Frames of the highest waiting class in a row, while a lower class waits, before a lower class has its turn.
pub const HIGH_PRIORITY_BURST: u8 = 8;

/// Ticks of silence after which the peer is asked for a sign of life, and again after as many more.
pub const KEEPALIVE_PING_TICKS: u8 = 3;

/// Ticks of silence after which the peer is dead.
pub const KEEPALIVE_DEAD_TICKS: u8 = 9;

const _: () = {
    assert!(STREAMS_MAX <= u128::BITS as usize, "the scheduler keeps a bit a stream");
    assert!(INITIAL_CREDIT_MAX as usize <= BUFFERED_MAX, "what is granted can be buffered");
    assert!(KEEPALIVE_PING_TICKS < KEEPALIVE_DEAD_TICKS, "nobody is dead who was not asked");
};
