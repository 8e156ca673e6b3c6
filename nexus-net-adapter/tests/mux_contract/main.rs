//! The contract of mux v2, kept over every kind of stream: one suite, which cannot tell what it runs on.
#![cfg(feature = "mux")]

mod memory;
mod session;
mod suite;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(feature = "std")]
mod udp;

/// Runs every test of the suite over the pairs of connected streams that `$connect` makes: the initiator's end first,
/// both with their peer known.
macro_rules! contract {
    ($kind:ident, $connect:expr) => {
        contract!($kind, $connect;
            streams_by_the_thousand_arrive_whole_one_after_the_other,
            large_streams_in_parallel_arrive_whole_in_both_directions,
            each_direction_of_a_stream_ends_by_itself,
            a_reader_that_stops_stops_its_writer_and_nobody_else,
            one_stalled_stream_of_16_leaves_the_others_their_rate,
            a_refused_stream_is_told_and_harms_no_other,
            a_session_ends_in_order_when_both_sides_finish,
            a_violation_costs_the_session_by_its_label,
            a_lost_session_resets_its_streams,
            silence_ends_the_session,
            test_reject_unauthenticated_session
        );
    };
    ($kind:ident, $connect:expr; $($test:ident),+) => {
        mod $kind {
            $(#[test]
            fn $test() {
                let (near, far) = $connect;
                super::suite::$test(near, far);
            })+
        }
    };
}

contract!(in_memory, super::memory::pair());
#[cfg(feature = "tcp")]
contract!(secure_tcp_over_a_pipe, super::tcp::pipe());
#[cfg(all(feature = "tcp", feature = "std"))]
contract!(secure_tcp_on_the_loopback, super::tcp::loopback());
#[cfg(feature = "std")]
contract!(udp_sec_on_loopback, super::udp::pair());
