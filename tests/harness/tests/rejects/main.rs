//! Every reject at the endpoint, by name: what fails is dropped and counted under its label, changes nothing else, and
//! gets no reply but the one that the protocol names (`docs/protocol.md` section 7).

mod cookies;
mod every_bit;
mod handshakes;
mod key_limit;
mod orders;
mod packets;
mod paths;
mod plaintext;
mod proofs;
mod silence;
mod simultaneous;
mod strangers;
mod violations;

use harness::attacker::keyed as lab;
