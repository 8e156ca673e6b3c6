//! What an integrator writes: one file for each of the system's seams.
//!
//! | file | the system has | we have |
//! | --- | --- | --- |
//! | [`mux`] | a multiplexer of events | `mux::frame`, over any `ReliableStream` |
//! | [`net`] | sockets behind its facade | the same facade, [`nexus_net_adapter::net`] |
//! | [`stack`] | services that want a `NetStack` | `UdpSecEndpoint` |
//! | [`record`] | `send_record`, `recv_record` | `mux::records` |
//!
//! A system needs those whose left side it uses. Each stands alone, but for [`stack`], which needs [`net`].

pub mod mux;
pub mod net;
pub mod record;
pub mod stack;
