//! The contract of mux v2, kept over every kind of stream: one suite, which cannot tell what it runs on.
#![cfg(feature = "mux")]

mod memory;
#[cfg(feature = "udp")]
mod network;
#[cfg(any(feature = "tcp", feature = "udp"))]
mod priorities;
mod session;
#[cfg(feature = "tcp")]
mod stalling;
mod suite;
mod tap;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(feature = "std")]
mod udp;
#[cfg(feature = "udp")]
mod violations;

/// Runs every test of the suite over the pairs of connected streams that `$connect` makes: the initiator's end first,
/// both with their peer known. What has not come after `$patience` turns of two milliseconds will not come.
macro_rules! contract {
    ($kind:ident, $connect:expr, $patience:expr) => {
        contract!($kind, $connect, $patience;
            streams_by_the_thousand_arrive_whole_one_after_the_other,
            large_streams_in_parallel_arrive_whole_in_both_directions,
            each_direction_of_a_stream_ends_by_itself,
            a_reader_that_stops_stops_its_writer_and_nobody_else,
            streams_that_nobody_reads_fill_their_memory_to_the_byte,
            one_stalled_stream_of_16_leaves_the_others_their_rate,
            equal_streams_have_equal_shares,
            class_0_and_one_lower_class_share_8_to_1,
            with_all_classes_saturated_each_lower_one_has_1_frame_of_63,
            a_refused_stream_is_told_and_harms_no_other,
            a_session_ends_in_order_when_both_sides_finish,
            a_violation_costs_the_session_by_its_label,
            a_lost_session_resets_its_streams,
            silence_ends_the_session,
            test_reject_unauthenticated_session
        );
    };
    ($kind:ident, $connect:expr, $patience:expr; $($test:ident),+) => {
        mod $kind {
            $(#[test]
            fn $test() {
                let (near, far) = $connect;
                super::suite::$test(crate::session::Ends { near, far, patience: $patience });
            })+
        }
    };
}

/// Where whatever was sent is there at once.
const AT_ONCE: usize = 10;
/// Where the system delivers it, when it comes to that.
#[cfg(feature = "std")]
const SYSTEM: usize = 100;
/// Where it may be lost several times in a row; in virtual time, which costs nothing.
#[cfg(any(feature = "tcp", feature = "udp"))]
const LOSSY: usize = 3000;

contract!(in_memory, super::memory::pair(), super::AT_ONCE);
#[cfg(feature = "tcp")]
contract!(secure_tcp_over_a_pipe, super::tcp::pipe(), super::AT_ONCE);
#[cfg(feature = "tcp")]
contract!(secure_tcp_without_loss, super::tcp::lossy(0), super::LOSSY);
#[cfg(feature = "tcp")]
contract!(secure_tcp_at_5_percent_loss, super::tcp::lossy(5), super::LOSSY);
#[cfg(feature = "tcp")]
contract!(secure_tcp_at_10_percent_loss, super::tcp::lossy(10), super::LOSSY);
#[cfg(all(feature = "tcp", feature = "std"))]
contract!(secure_tcp_on_the_loopback, super::tcp::loopback(), super::SYSTEM);
#[cfg(feature = "udp")]
contract!(udp_sec_without_loss, super::network::pair(0), super::LOSSY);
#[cfg(feature = "udp")]
contract!(udp_sec_at_5_percent_loss, super::network::pair(5), super::LOSSY);
#[cfg(feature = "udp")]
contract!(udp_sec_at_10_percent_loss, super::network::pair(10), super::LOSSY);
#[cfg(feature = "std")]
contract!(udp_sec_on_the_loopback, super::udp::pair(), super::SYSTEM);
