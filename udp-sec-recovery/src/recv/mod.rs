//! Receiving: from packets in any order to bytes in order, and what the peer is told about it.
//!
//! Reading order: [`ranges`] (which packets came), [`ack`] (when to say so), [`reorder`] (the bytes, in order),
//! [`credit`] (how many more may come).

pub mod ack;
pub mod credit;
pub mod ranges;
pub mod reorder;
