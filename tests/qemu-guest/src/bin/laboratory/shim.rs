//! The target system's multiplexer, facade and records, over sessions that lose 5 % of their datagrams.

use os_shim::exercise::{self, Report, Role};
use os_shim::lossy::with_session;
use qemu_guest::say;

use crate::Undone;
use crate::settings::Settings;

/// Moves everything through each of the parts, and tells how.
pub fn run(settings: &Settings) -> Result<(), Undone> {
    settings.seeds().try_for_each(|seed| {
        with_session(seed, |world, client, server| {
            let passed = |role, stage: exercise::Stage| {
                if role == Role::Responder {
                    say!("{}", stage.name());
                }
            };
            let reports = exercise::play(client, server, settings.bytes, || world.pass(), passed);
            let [sent, received] = reports.map_err(Undone::Exercise)?;
            report(seed, &received, &sent);
            say!("FIGURE virtual_us {}", world.now().as_micros());
            say!("FIGURE datagrams_lost {}", world.lost());
            // Three stages of at least so many bytes, of which every one was compared where it arrived.
            let all = 3 * settings.bytes as u64;
            if received.bytes < all || received.bytes != sent.bytes {
                Err(Undone::Incomplete)
            } else {
                Ok(())
            }
        })
    })
}

fn report(seed: u64, received: &Report, sent: &Report) {
    say!("FIGURE seed {seed}");
    say!("FIGURE received_bytes {}", received.bytes);
    say!("FIGURE blocked_by_credit {}", sent.blocked_by_credit);
    say!("FIGURE blocked_by_link {}", sent.blocked_by_link);
}
