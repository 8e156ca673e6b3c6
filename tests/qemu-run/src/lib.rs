//! Runs of the QEMU guests: two machines, or one and this host, joined by an emulated link, and judged.
//!
//! ```text
//!  guest ── frames ──► ether-relay ──► frames ── guest, or QEMU's own network ── host end
//!    │ serial line          │ pcap, counts                                          │ its output
//!    └──────────► judge ◄───┴───────────────────────────────────────────────────────┘
//!                   └──► summary, release evidence, decoded log, picture
//! ```
//! Reading order: [`profile`] (what a run must show), [`judge`] (whether it did), [`bounds`] (with how much memory),
//! [`plan`] (what a run is), [`machine`], [`monitor`] and [`wire`] (who takes part), [`stage`] (one run from start to
//! end), [`secrets`] (what is left in memory), [`series`] and [`spread`] (many of them), [`decoded`] (whether the binary log agrees with the serial line), [`evidence`] (what is kept), [`watch`] and
//! [`sheet`] (what people see).

pub mod bounds;
pub mod child;
pub mod decoded;
pub mod evidence;
pub mod judge;
pub mod machine;
pub mod monitor;
pub mod output;
pub mod plan;
pub mod profile;
pub mod secrets;
pub mod series;
pub mod sheet;
pub mod spread;
pub mod stage;
pub mod watch;
pub mod wire;
