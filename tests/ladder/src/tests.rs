//! Both programs over two engines, joined by hand; a peer that lies; and what the two say and are told.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use nexus_net_adapter::mux::{Event, Side, StreamId};
use nexus_net_adapter::select::{Mode, Transport};
use nexus_net_adapter::stream::PeerIdentity;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};

use crate::settings::{Settings, Unknown};
use crate::{Connector, Failure, Listener, MUX_MEMORY, Mux, Plan, RECEIPT_LEN, Rung, markers};

const PLAN: Plan = Plan { bulk: 300_000, class: 4, seed: 7 };

/// Moves what `from` has to say.
fn carry(from: &mut Mux<'_>, to: &mut Mux<'_>) {
    let mut wire = [0; 700];
    let len = from.transmit(&mut wire, 600);
    to.receive(&wire[..len]).expect("frames");
}

/// Climbs until the top, or until nothing moves any more.
fn climb(mut listen: impl FnMut(&mut Mux<'_>) -> Result<(), Failure>) -> (Vec<Rung>, Option<Failure>, bool) {
    let peer = PeerIdentity::unproven_for_tests(PublicKey::from_bytes([7; 32]));
    let mut memory = [vec![0; MUX_MEMORY], vec![0; MUX_MEMORY]];
    let [near, far] = &mut memory;
    let mut near = Mux::new(Side::Initiator, peer, near.as_mut_slice());
    let mut far = Mux::new(Side::Responder, peer, far.as_mut_slice());
    let mut connector = Connector::new(PLAN);
    let mut rungs = Vec::new();
    for round in 0..20_000 {
        let now = Instant::from_micros(round);
        for _ in 0..4 {
            match connector.step(now, &mut near) {
                Ok(rung) => rungs.extend(rung),
                Err(failure) => return (rungs, Some(failure), false),
            }
        }
        if let Err(failure) = listen(&mut far) {
            return (rungs, Some(failure), false);
        }
        carry(&mut near, &mut far);
        carry(&mut far, &mut near);
    }
    (rungs, None, connector.is_done() && near.streams() == 0 && far.streams() == 0)
}

#[test]
fn every_rung_is_reached_in_order() {
    let mut listener = Listener::new();
    let (rungs, failure, done) = climb(|mux| listener.step(mux));
    assert_eq!(failure, None);
    assert!(done, "all streams are over: {rungs:?}");
    assert!(
        matches!(
            rungs[..],
            [
                Rung::SessionUp,
                Rung::Data,
                Rung::Control(slowest),
                Rung::Bulk { bytes: 300_000, elapsed, hash },
                Rung::Backpressure,
            ] if slowest > Duration::ZERO && elapsed > slowest && hash == PLAN.bulk_hash()
        ),
        "{rungs:?}"
    );
    assert_eq!(listener.receipts(), (4096 + 300_000 + 131_072, 3));
}

#[test]
fn bulks_of_other_seeds_or_lengths_have_other_hashes() {
    let others = [Plan { seed: 8, ..PLAN }, Plan { bulk: 299_999, ..PLAN }, Plan { bulk: 0, ..PLAN }];
    assert!(others.iter().all(|other| other.bulk_hash() != PLAN.bulk_hash()));
}

#[test]
fn a_listener_that_never_reads_holds_up_everything_that_follows() {
    // It accepts streams, as every engine does by itself.
    let (rungs, failure, done) = climb(|_| Ok(()));
    assert_eq!((rungs, failure, done), (vec![Rung::SessionUp], None, false));
}

#[test]
fn a_receipt_for_other_bytes_is_no_rung() {
    let (rungs, failure, _) = climb(|mux| {
        while let Some(event) = mux.poll_event() {
            if let Event::Opened { stream, .. } = event {
                mux.write(stream, &[0; RECEIPT_LEN])?;
                mux.close(stream)?;
            }
        }
        Ok(())
    });
    assert_eq!((rungs, failure), (vec![Rung::SessionUp], Some(Failure::Mismatch("data"))));
}

#[test]
fn an_answer_to_another_request_is_no_rung() {
    let (mut listener, mut control) = (Listener::new(), None);
    let (rungs, failure, _) = climb(|mux| {
        // The control stream is the second; its requests are answered before they have come.
        control = control.or(StreamId::new(3).filter(|stream| mux.state(*stream).is_some()));
        if let Some(stream) = control {
            _ = mux.write(stream, &[0; 32]);
            return Ok(());
        }
        listener.step(mux)
    });
    assert_eq!((rungs, failure), (vec![Rung::SessionUp, Rung::Data], Some(Failure::Mismatch("control"))));
}

/// What is said of `rung` over `transport`.
fn lines(rung: &Rung, transport: Transport) -> String {
    let mut lines = String::new();
    markers::rung(rung, transport, &mut lines).expect("memory takes everything");
    lines
}

#[test]
fn each_rung_has_its_marker_behind_its_figures() {
    let millisecond = Duration::from_millis(1);
    let bulk = Rung::Bulk { bytes: 1_000, elapsed: millisecond, hash: [0xab; 32] };
    let said = [Rung::SessionUp, Rung::Data, Rung::Control(millisecond), bulk, Rung::Backpressure]
        .map(|rung| lines(&rung, Transport::UdpSec));
    assert_eq!(said[0], "dsoftbus:mux session up\n");
    assert_eq!(said[1], "dsoftbus:mux data ok (udp-sec)\n");
    assert_eq!(said[2], "FIGURE control_slowest_us 1000\nSELFTEST: udp-sec control ok\n");
    let hash = "ab".repeat(32);
    assert_eq!(
        said[3],
        format!(
            "FIGURE bulk_bytes 1000\nFIGURE bulk_us 1000\nFIGURE goodput_bits_per_second 8000000\n\
             FIGURE bulk_sha256 {hash}\nSELFTEST: udp-sec bulk ok\n"
        )
    );
    assert_eq!(said[4], "SELFTEST: udp-sec backpressure ok\n");
}

#[test]
fn over_tcp_only_the_first_data_has_a_marker() {
    assert_eq!(lines(&Rung::SessionUp, Transport::Tcp), "");
    assert_eq!(lines(&Rung::Data, Transport::Tcp), "dsoftbus:mux data ok (tcp)\n");
    assert_eq!(lines(&Rung::Backpressure, Transport::Tcp), "");
}

#[test]
fn the_two_ends_are_each_others_peers_unless_told_otherwise() {
    let listener = Settings::parse("role=listener").expect("known words");
    let connector = Settings::parse("role=connector").expect("known words");
    assert_eq!((listener.ip, listener.peer), (connector.peer, connector.ip));
    assert_eq!((listener.key, listener.peer_key), (connector.peer_key, connector.key));
    assert_eq!(listener.keypair().public(), connector.peer_keypair().public());
    assert_eq!(connector.mode, Mode::Auto);
}

#[test]
fn a_run_is_told_by_words() {
    let told =
        Settings::parse("role=connector bytes=7 class=1 loss=1 udp=off DSOFTBUS_TRANSPORT=tcp limit=3");
    let told = told.expect("known words");
    assert_eq!(told.plan, Plan { bulk: 7, class: 1, seed: 1 });
    assert_eq!(
        (told.loss, told.udp, told.mode, told.limit),
        (true, false, Mode::Tcp, Duration::from_secs(3))
    );
}

#[test]
fn a_mistyped_word_is_no_default() {
    for word in ["rool=listener", "listener", "role=lisener", "bytes=many", "udp=perhaps", "port=65536"] {
        assert!(Settings::parse(word).is_err(), "{word}");
    }
    assert_eq!(
        Settings::parse("DSOFTBUS_TRANSPORT=udpsec"),
        Err(Unknown("DSOFTBUS_TRANSPORT")),
        "a mistyped udp-sec must not become a fallback"
    );
}
