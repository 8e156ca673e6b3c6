//! What is shown of a log, and that a line is shown once, and only when it is whole.

use std::io::Write as _;

use super::*;
use crate::profile::{Pattern, Profile, ladder};

#[test]
fn markers_are_shown_with_their_meaning_and_the_rest_of_a_log_is_not() {
    let shown = |line| words(line);
    assert_eq!(shown("dsoftbusd: auth ok\r").unwrap(), "dsoftbusd: auth ok  (the peer has proven its key)");
    assert_eq!(shown("dsoftbusd: transport selected tcp").unwrap(), "dsoftbusd: transport selected tcp");
    assert_eq!(shown("FAILED: no authenticated peer").unwrap(), "FAILED: no authenticated peer");
    assert!(shown("guest Panicked at main.rs").is_some());
    for other in ["OpenSBI v1.3", "FIGURE heap_bytes 784", "PLOT 0 1 2 3 4", "STAT bytes_sent 1", ""] {
        assert_eq!(shown(other), None, "{other}");
    }
}

#[test]
fn every_marker_of_every_ladder_is_shown() {
    for profile in [Profile::UdpSec, Profile::Fallback, Profile::Strict, Profile::Quic, Profile::NoEntropy] {
        for role in [Role::Listener, Role::Connector] {
            for pattern in ladder(profile, role, true).required {
                let (Pattern::Marker(text) | Pattern::WithPort(text)) = pattern else { continue };
                let known = MEANINGS.iter().any(|(marker, _)| text.starts_with(marker));
                assert!(known || text.starts_with("dsoftbusd: transport selected"), "{text}");
                assert!(words(text).is_some(), "{text}");
            }
        }
    }
}

#[test]
fn progress_is_a_bar_that_never_overflows() {
    assert_eq!(words("PROGRESS 0 1000").unwrap(), format!("bulk [{}]   0 %", ".".repeat(20)));
    assert_eq!(
        words("PROGRESS 510 1000").unwrap(),
        format!("bulk [{}{}]  51 %", "#".repeat(10), ".".repeat(10))
    );
    assert_eq!(words("PROGRESS 2000 1000").unwrap(), format!("bulk [{}] 100 %", "#".repeat(20)));
    for broken in ["PROGRESS 1 0", "PROGRESS 1", "PROGRESS a b"] {
        assert_eq!(words(broken), None, "{broken}");
    }
}

#[test]
fn a_line_is_told_once_and_when_it_is_whole() {
    let folder = std::env::temp_dir().join(format!("qemu-run-watch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut log = Log::of(Role::Listener, &folder);
    assert!(log.news().is_empty(), "there is no file yet");
    let mut file = std::fs::File::create(folder.join("listener.log")).unwrap();
    file.write_all(b"one\r\ntw").unwrap();
    assert_eq!(log.news(), ["one"]);
    assert!(log.news().is_empty());
    file.write_all(b"o\nthree\n").unwrap();
    assert_eq!(log.news(), ["two", "three"]);
    std::fs::remove_dir_all(folder).unwrap();
}
