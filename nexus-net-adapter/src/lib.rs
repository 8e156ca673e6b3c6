//! [`ReliableStream`](stream::ReliableStream): authenticated bytes in order, over whatever carries them.
//!
//! ```text
//! application, multiplexer
//!        │  stream::ReliableStream      all that they know
//!        ▼
//! udp::Driver ◄──► Endpoint             tcp::SecureTcp       sessions: from udp-sec-recovery, or over TCP
//!        │  udp::Datagrams                     │  tcp::ByteStream      all that a session's driver knows
//!        ▼                                     ▼
//! backend::host    backend::memory      backend::host    backend::pipe      sockets, clocks, entropy
//! ```
//!
//! | feature | brings | needs |
//! | --- | --- | --- |
//! | (none) | the trait `ReliableStream` | `core` |
//! | `udp` | `UdpSecStream` over any `Datagrams`; the in-memory backend | `core` |
//! | `mux` | up to 128 streams with priorities over any `ReliableStream` | `core` |
//! | `tcp` | `SecureTcpStream`: the same keys and checks over any `ByteStream`; the in-memory pipe | `core`, `alloc` |
//! | `net` | the sockets facade of nexus-net; sessions over any stack, and as its connections; a network in memory | `core` |
//! | `smoltcp` | that facade over smoltcp, in memory of the caller's | `core`, Rust 1.91 |
//! | `smoltcp-ipv6` | IPv6 for it | `core`, Rust 1.91 |
//! | `embedded-io` | `embedded_io` and `embedded_io_async` over any stream | `core` |
//! | `std` | `HostEndpoint`, `HostStream`: UDP sockets, threads | a Unix system, Rust 1.88 |
//! | `tokio` | `AsyncRead` and `AsyncWrite` over any stream that wakes tasks; `TokioTcp` | the same |
//!
//! Reading order: [`stream`], then with `udp` the modules `udp` and `backend`, with `tcp` the module `tcp`; [`select`]
//! decides between the two. With `net`, `net` puts both on network stacks that are polled.
#![cfg_attr(
    feature = "std",
    doc = "
Two endpoints of one program, and a byte from one to the other:

```
use nexus_net_adapter::backend::host::{HostEndpoint, Peers, config};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let application = ApplicationProtocol::new(b\"hello/1\")?;
    let [alice, bob] = [[1; 32], [2; 32]].map(StaticKeypair::from_secret);
    let bob_key = *bob.public();
    let peers = Peers::Only(vec![*alice.public()]);
    let bob = HostEndpoint::bind(\"127.0.0.1:0\".parse()?, config(bob, application.clone()), peers)?;
    let address = bob.local_addr()?;

    let answering = std::thread::spawn(move || {
        let mut stream = bob.accept(bob.now() + Duration::from_secs(5)).expect(\"alice calls\");
        let mut byte = [0];
        stream.read(&mut byte, bob.now() + Duration::from_secs(5)).expect(\"a byte\");
        stream.close(bob.now() + Duration::from_secs(5)).expect(\"alice is done, too\");
        byte
    });

    let alice = HostEndpoint::bind(\"127.0.0.1:0\".parse()?, config(alice, application), Peers::Only(vec![]))?;
    let soon = alice.now() + Duration::from_secs(5);
    let mut stream = alice.connect(address, &bob_key, soon)?;
    stream.write_all(b\"!\", soon)?;
    stream.close(soon)?;
    assert_eq!(answering.join().expect(\"no panic\"), *b\"!\");
    Ok(())
}
```"
)]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(any(feature = "udp", feature = "tcp", feature = "net"))]
pub mod backend;
#[cfg(any(feature = "std", feature = "embedded-io"))]
pub mod io;
#[cfg(feature = "mux")]
pub mod mux;
#[cfg(feature = "net")]
pub mod net;
pub mod reconnect;
pub mod select;
pub mod stream;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "udp")]
pub mod udp;
