//! The binary log of a session: a line for each event and each reject, by their own names, and what each counter has
//! grown by. The lines of a run add up to the counters that its report prints.

use udp_sec::error::Reject;
use udp_sec::stats::RejectCounts;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::stats::Stats;

use crate::endpoint::UdpSecDevice;

/// Logs `event`.
pub fn event(event: Event) {
    match event {
        Event::Established => defmt::info!("established"),
        Event::Readable => defmt::trace!("readable"),
        Event::Writable => defmt::trace!("writable"),
        Event::Closed(why) => closed(why),
    }
}

fn closed(why: Closure) {
    match why {
        Closure::Complete => defmt::info!("closed: complete"),
        Closure::ByPeer(code) => defmt::warn!("closed: by the peer, code {=u16}", code.to_wire()),
        Closure::ByUs(code) => defmt::warn!("closed: by us, code {=u16}", code.to_wire()),
        Closure::Refused(code) => defmt::warn!("closed: refused, code {=u16}", code.to_wire()),
        Closure::TimedOut => defmt::warn!("closed: idle timeout"),
        Closure::HandshakeTimeout => defmt::warn!("closed: handshake timeout"),
        Closure::NoPath => defmt::warn!("closed: no path of 1200 bytes"),
        Closure::IdentityProofInvalid => defmt::warn!("closed: identity proof invalid"),
        Closure::Superseded => defmt::warn!("closed: superseded"),
    }
}

/// What has been logged so far of one endpoint with one session.
#[derive(Default)]
pub struct Trace {
    rejects: RejectCounts,
    stats: Stats,
    /// The session, once there is one.
    session: Option<SessionId>,
}

impl Trace {
    /// From now on the counters of `session` are logged.
    pub fn follow(&mut self, session: SessionId) {
        self.session = Some(session);
    }

    /// Logs what has been counted since the last call.
    pub fn update(&mut self, device: &UdpSecDevice) {
        device.look(|driver| {
            let now = driver.rejects();
            for reject in Reject::ALL {
                for _ in self.rejects.get(*reject)..now.get(*reject) {
                    rejected(*reject);
                }
            }
            self.rejects.clone_from(now);
            if let Some(session) = self.session.and_then(|id| driver.peek(id)) {
                let stats = session.stats();
                counted(&self.stats, &stats);
                self.stats = stats;
            }
        });
    }
}

/// A line for each counter that has grown, and by how much.
macro_rules! counters {
    ($($name:ident $line:literal,)*) => {
        fn counted(before: &Stats, now: &Stats) {
            $(if now.$name > before.$name {
                defmt::debug!($line, now.$name - before.$name);
            })*
        }
    };
}

counters! {
    datagrams_sent "datagrams_sent +{=u64}",
    bytes_sent "bytes_sent +{=u64}",
    datagrams_received "datagrams_received +{=u64}",
    bytes_received "bytes_received +{=u64}",
    packets_lost "packets_lost +{=u64}",
    bytes_lost "bytes_lost +{=u64}",
    spurious_losses "spurious_losses +{=u64}",
    stream_bytes_retransmitted "stream_bytes_retransmitted +{=u64}",
    stream_bytes_probed "stream_bytes_probed +{=u64}",
    stream_bytes_sent "stream_bytes_sent +{=u64}",
    stream_bytes_received "stream_bytes_received +{=u64}",
    acks_sent "acks_sent +{=u64}",
    acks_received "acks_received +{=u64}",
    probes_sent "probes_sent +{=u64}",
    probe_timeouts "probe_timeouts +{=u64}",
    window_reductions "window_reductions +{=u64}",
    reductions_undone "reductions_undone +{=u64}",
    persistent_congestions "persistent_congestions +{=u64}",
    reassembly_overflows "reassembly_overflows +{=u64}",
}

/// A line for each reject: its label.
macro_rules! rejects {
    ($($name:ident $label:literal,)*) => {
        fn rejected(reject: Reject) {
            match reject {
                $(Reject::$name => defmt::warn!($label),)*
            }
        }

        $(const _: () = assert!(same($label, Reject::$name.label()), "the line is the label");)*
    };
}

rejects! {
    MalformedHeader "udpsec.reject.malformed_header",
    OversizeDatagram "udpsec.reject.oversize_datagram",
    BadMac1 "udpsec.reject.bad_mac1",
    CookieRequired "udpsec.reject.cookie_required",
    HandshakeFailed "udpsec.reject.handshake_failed",
    MalformedParameters "udpsec.reject.malformed_parameters",
    PeerNotAuthorized "udpsec.reject.peer_not_authorized",
    IdentityProofInvalid "udpsec.reject.identity_proof_invalid",
    HalfOpenLimit "udpsec.reject.half_open_limit",
    SessionLimit "udpsec.reject.session_limit",
    UnknownSession "udpsec.reject.unknown_session",
    DecryptFailed "udpsec.reject.decrypt_failed",
    ReplayOrStalePacketNumber "udpsec.reject.replay_or_stale_packet_number",
    UnauthenticatedDataBeforeHandshake "udpsec.reject.unauthenticated_data_before_handshake",
    MalformedFrame "udpsec.reject.malformed_frame",
    AckOfUnsentPacket "udpsec.reject.ack_of_unsent_packet",
    FlowControlViolation "udpsec.reject.flow_control_violation",
    FinalSizeChanged "udpsec.reject.final_size_changed",
    ReassemblyOverflow "udpsec.reject.reassembly_overflow",
    KeyUpdateViolation "udpsec.reject.key_update_violation",
    PathUnvalidated "udpsec.reject.path_unvalidated",
    EntropyUnavailable "udpsec.reject.entropy_unavailable",
}

const fn same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}
