//! Attackers: who holds keys of a session and misbehaves ([`keyed`]), and who holds none and is on the path
//! ([`on_path`]).

pub mod keyed;
pub mod on_path;
