//! A Unix host: UDP sockets with segment offload, the monotonic clock, the system's entropy.
//!
//! [`HostEndpoint`] binds one socket for any number of sessions, [`HostStream`] is one of them. Both may be used from
//! many threads, and no thread runs in the background: whoever waits does the work, as `shared` tells. Where tasks wait
//! instead of threads, an [`Attendant`] does it.

mod attendant;
mod clock;
#[cfg(feature = "tcp")]
mod connector;
mod endpoint;
mod narrow;
#[cfg(feature = "net")]
pub mod net;
mod pool;
mod shared;
mod socket;
mod storage;
mod stream;
mod tasks;
#[cfg(feature = "tcp")]
mod tcp;
mod waiting;
mod waker;

pub use attendant::Attendant;
pub use clock::HostClock;
#[cfg(feature = "tcp")]
pub use connector::{Destination, HostConnector, HostSelected, NotConnected, UdpSec};
pub use endpoint::{HostEndpoint, OpenError, Peers, config};
pub use pool::HostPool;
pub use socket::HostSocket;
pub use storage::HostStorage;
pub use stream::HostStream;
#[cfg(feature = "tcp")]
pub use tcp::{HostTcp, HostTcpListener, HostTcpStream, TcpError, connect_tcp};

/// Sessions that one [`HostEndpoint`] can have at once.
pub const SESSIONS_MAX: usize = 1024;
/// Handshakes that it can have under way, in each role.
pub const HANDSHAKES_MAX: usize = 64;
/// Sessions that one peer can have at once, unless configured otherwise.
pub const SESSIONS_PER_PEER: usize = 64;

#[cfg(test)]
mod tests;
