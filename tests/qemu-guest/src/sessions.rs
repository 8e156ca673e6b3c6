//! The memory of udp-sec sessions: static, lent to a session for its life.

use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::StaticPool;
#[cfg(feature = "medium")]
pub use udp_sec_recovery::memory::Medium as Profile;
#[cfg(not(feature = "medium"))]
pub use udp_sec_recovery::memory::Small as Profile;

/// Each end of a run has one session.
pub type OneSession = StaticPool<Profile, 1>;

/// What one session takes: its state, and the memory lent to it. Bytes.
pub const SESSION_BYTES: usize = size_of::<Profile>() + size_of::<Connection<&'static mut Profile>>();
