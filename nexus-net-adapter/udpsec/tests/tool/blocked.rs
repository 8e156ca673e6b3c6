//! Where UDP does not get through: tests that need a network of their own.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::network::{TcpCounts, in_own_network};
use crate::process::error_of;
use crate::transport::{Sides, said};

/// Half of the budget that udp-sec has where TCP can follow: what takes less has not waited for silence.
const AT_ONCE: Duration = Duration::from_millis(2500);

/// How long `work` took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[allow(clippy::disallowed_methods, reason = "a test of real processes has to look at the clock")]
    let begun = Instant::now();
    (work(), begun.elapsed())
}

#[test]
fn strict_mode_sends_no_tcp_segment_however_deaf_udp_is() {
    in_own_network("blocked::strict_mode_sends_no_tcp_segment_however_deaf_udp_is", 65536, || {
        let sides = Sides::new("strict");
        // TCP would succeed: the peer listens for it, and for nothing else.
        let mut receiver = sides.receive("tcp");
        let address = receiver.address();
        let deaf = UdpSocket::bind(&address).expect("the same port");
        let before = TcpCounts::now();
        let strict = ["--transport", "udp-sec", "--markers"];
        let (sent, took) = timed(|| sides.send(&address, &strict, &[]).finish());
        assert_eq!(TcpCounts::now(), before, "not one segment");
        let error = error_of(&sent);
        assert!(error.contains("no answer"), "{error}");
        assert!(error.contains("dsoftbus: udp-sec unavailable (strict, no fallback)"), "{error}");
        assert!(took > Duration::from_secs(29) && took <= Duration::from_secs(31), "{took:?}");
        deaf.set_nonblocking(true).expect("a socket");
        let attempts = std::iter::from_fn(|| deaf.recv(&mut [0; 2048]).ok()).count();
        assert!(attempts >= 5, "udp-sec was tried {attempts} times");
        // The count counts: the same call in `auto` begins one connection.
        let said = said(sides.send(&address, &["--timeout", "1"], &[]));
        assert!(said.contains("trying tcp"), "{said}");
        assert_eq!(TcpCounts::now().active_opens, before.active_opens + 1);
        sides.assert_arrived();
    });
}

#[test]
fn a_path_of_less_than_1200_bytes_is_no_path_and_that_is_known_at_once() {
    in_own_network(
        "blocked::a_path_of_less_than_1200_bytes_is_no_path_and_that_is_known_at_once",
        1000,
        || {
            let sides = Sides::new("narrow");
            let mut receiver = sides.receive("auto");
            let address = receiver.address();
            let before = TcpCounts::now();
            let (strict, took) = timed(|| sides.send(&address, &["--transport", "udp-sec"], &[]).finish());
            let error = error_of(&strict);
            assert!(error.contains("1200 bytes") && error.contains("--transport tcp"), "{error}");
            assert!(took < AT_ONCE, "{took:?}");
            assert_eq!(TcpCounts::now(), before, "not one segment");
            let (said, took) = timed(|| said(sides.send(&address, &["--markers"], &[])));
            assert!(said.contains("udp-sec: no path of 1200 bytes; trying tcp"), "{said}");
            assert!(said.contains("dsoftbus: udp-sec os disabled (fallback tcp)"), "{said}");
            assert!(took < AT_ONCE, "{took:?}");
            assert_eq!(TcpCounts::now().active_opens, before.active_opens + 1);
            sides.assert_arrived();
        },
    );
}
