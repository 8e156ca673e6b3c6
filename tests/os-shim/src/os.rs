//! The system's side: own types with the names, signatures and behaviour that its public sources have.
//!
//! Nothing in here knows of this project, and nothing in here may be adapted to it: that is the point.

pub mod mux;
pub mod net;
pub mod record;
