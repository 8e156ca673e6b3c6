//! The contract of the facade, kept by every stack and by sessions in the place of connections; and sessions over
//! every stack.
#![cfg(all(feature = "net", feature = "udp", feature = "tcp"))]

mod connections;
#[cfg(feature = "std")]
mod host;
mod listeners;
#[cfg(feature = "smoltcp-ipv6")]
mod lossy;
mod memory;
#[cfg(feature = "smoltcp-ipv6")]
mod neighbours;
mod sessions;
#[cfg(feature = "smoltcp-ipv6")]
mod smoltcp;
mod stacks;
#[cfg(all(feature = "smoltcp-ipv6", feature = "std", target_os = "linux"))]
mod tap;
#[cfg(feature = "std")]
mod threads;
mod world;

/// Runs the tests of a suite, each in a world of its own.
macro_rules! suite {
    ($suite:ident in $kind:ident: $world:expr; $($test:ident),+ $(,)?) => {
        mod $kind {
            $(#[test]
            fn $test() {
                let mut world = $world;
                super::$suite::$test(&mut world);
            })+
        }
    };
}

/// Every test of a stack, and of the connections it makes.
macro_rules! stack {
    ($kind:ident, $world:expr) => {
        suite!(stacks in $kind: $world;
            a_datagram_arrives_whole_with_its_sender,
            datagrams_are_bounded,
            a_datagram_too_long_for_its_reader_is_gone,
            a_port_belongs_to_one_socket_at_a_time,
            a_port_of_no_number_is_a_free_one,
            only_own_addresses_can_be_bound,
            nobody_has_these_addresses,
            unread_datagrams_are_dropped_and_cost_no_memory,
            connections_cross_whole_and_end_in_order,
            a_deadline_decides_only_about_waiting,
            a_listener_hands_out_connections_in_turn_and_no_more_than_its_backlog,
            nobody_listens,
            a_dropped_listener_gives_its_port_back_and_keeps_its_connections,
            ports_and_sockets_can_be_used_again_and_again,
            a_connection_dropped_without_close_is_lost,
        );
    };
}

/// Every test of connections.
macro_rules! connection {
    ($kind:ident, $connection:expr) => {
        suite!(connections in $kind: $connection;
            bytes_cross_both_ways_at_once,
            a_write_is_bounded,
            deadlines,
            a_reader_that_stops_stops_its_writer,
            what_was_written_before_close_arrives,
            a_dropped_end_is_a_lost_connection,
        );
    };
}

stack!(in_memory, super::memory::world());
#[cfg(feature = "std")]
stack!(on_the_host, super::host::world());
#[cfg(feature = "smoltcp-ipv6")]
stack!(smoltcp_by_itself, super::smoltcp::loopback());
#[cfg(feature = "smoltcp-ipv6")]
stack!(smoltcp_on_a_link, super::smoltcp::link());

use connections::Plain;

connection!(connections_in_memory, super::Plain::of(super::memory::world()));
#[cfg(feature = "std")]
connection!(connections_of_the_host, super::Plain::of(super::host::world()));
#[cfg(feature = "smoltcp-ipv6")]
connection!(connections_of_smoltcp_by_itself, super::Plain::of(super::smoltcp::loopback()));
#[cfg(feature = "smoltcp-ipv6")]
connection!(connections_of_smoltcp_on_a_link, super::Plain::of(super::smoltcp::link()));

use sessions::Sessions;

connection!(udp_sec_over_memory, super::Sessions::of(super::memory::lab(), super::memory::udp_sec));
connection!(secure_tcp_over_memory, super::Sessions::of(super::memory::lab(), super::memory::secure_tcp));
#[cfg(feature = "smoltcp-ipv6")]
connection!(udp_sec_over_smoltcp, super::Sessions::of(super::lossy::lab(), super::lossy::udp_sec));
#[cfg(feature = "smoltcp-ipv6")]
connection!(secure_tcp_over_smoltcp, super::Sessions::of(super::lossy::lab(), super::lossy::secure_tcp));
