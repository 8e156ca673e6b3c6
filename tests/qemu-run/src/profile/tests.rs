//! How lines are recognised, and that every profile can be told from the others.

use super::*;

#[test]
fn a_marker_is_a_whole_line_or_goes_on_with_a_space() {
    let marker = Pattern::Marker("SELFTEST: end");
    for line in ["SELFTEST: end", "SELFTEST: end\r", "  SELFTEST: end 3.2 s"] {
        assert!(marker.matches(line), "{line}");
    }
    for line in ["SELFTEST: ending", "x SELFTEST: end", "SELFTEST:end", ""] {
        assert!(!marker.matches(line), "{line}");
    }
}

#[test]
fn a_port_is_a_number_that_a_port_can_have() {
    for (line, matches) in [
        ("dsoftbus: udp-sec os listener up 4433", true),
        ("dsoftbus: udp-sec os listener up 0", false),
        ("dsoftbus: udp-sec os listener up 65536", false),
        ("dsoftbus: udp-sec os listener up", false),
        ("dsoftbus: udp-sec os listener up x", false),
    ] {
        assert_eq!(LISTENER_UP.matches(line), matches, "{line}");
    }
}

#[test]
fn no_ladder_forbids_what_it_requires() {
    for profile in Profile::value_variants() {
        for role in [Role::Listener, Role::Connector] {
            let ladder = ladder(*profile, role, true);
            assert!(ladder.required.iter().all(|marker| !ladder.forbidden.contains(marker)), "{profile}");
            assert!(ladder.forbidden.contains(&PANIC), "{profile}");
        }
    }
}

#[test]
fn what_one_profile_shows_another_refuses() {
    let shown = |profile| {
        let ladder = ladder(profile, Role::Connector, true);
        ladder.required.iter().map(|marker| format!("{marker}\n")).collect::<String>()
    };
    let networked = &Profile::value_variants()[..5];
    for one in networked {
        for other in networked {
            let verdict = crate::judge::judge(&shown(*one), &ladder(*other, Role::Connector, true));
            assert_eq!(verdict.passed(), one == other, "a log of {one} judged as {other}");
        }
    }
}
