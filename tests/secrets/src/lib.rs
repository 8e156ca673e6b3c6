//! What a session leaves in the memory of its process.
//!
//! One end of a session runs in a process of its own, the [`victim`]; the other end is the test. The test gives the victim
//! its keys and its random bytes, and speaks with it, so it knows every secret of the session ([`needles`]) although the
//! victim never says one. It then reads the victim's memory from outside ([`search`]): its own copies are in another
//! process, and are not found by mistake.

#[cfg(target_os = "linux")]
pub mod debug;
pub mod end;
#[cfg(target_os = "linux")]
pub mod needles;
#[cfg(target_os = "linux")]
pub mod observer;
pub mod recorder;
#[cfg(target_os = "linux")]
pub mod search;
pub mod victim;
