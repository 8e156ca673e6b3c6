//! Secrets in the memory of a process, while it needs them and afterwards.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;

use secrets::needles::Needle;
use secrets::observer::{Observer, Role};
use secrets::search::Found;
use udp_sec::session::Session;

const PLAIN: &str = env!("CARGO_BIN_EXE_victim-plain");
const WIPING: &str = env!("CARGO_BIN_EXE_victim-wiping");
const STATIC: &str = "static secret";
/// The endpoint's configuration and its responder have the static key.
const STATIC_COPIES: usize = 2;

/// What is in memory before the session, while it lives, after it, and after the endpoint.
struct Left {
    during: Found,
    after: Found,
    at_last: Found,
}

/// A session of a victim in `role`, with packets both ways.
fn session(program: &str, role: Role, seed: u64) -> Left {
    let mut observer = Observer::start(program, role, seed).expect("a victim");
    observer.connect().expect("goes on");
    for _ in 0..3 {
        observer.talk().expect("goes on");
    }
    let schedule = observer.schedule();
    let of_session = observer.drawn().into_iter().chain(schedule.session).chain(schedule.handshake);
    let needles: Vec<Needle> = [observer.static_secret()].into_iter().chain(of_session).collect();
    assert_eq!(needles.len(), 17, "one static, two drawn, two of the session, twelve on the way there");
    let during = observer.search(&needles).expect("our own child");
    observer.end_session().expect("goes on");
    let after = observer.search(&needles).expect("our own child");
    observer.drop_endpoint().expect("goes on");
    let at_last = observer.search(&needles).expect("our own child");
    let left = Left { during, after, at_last };
    for (when, found) in [("session", &left.during), ("closed", &left.after), ("dropped", &left.at_last)] {
        println!("{program}, {role:?}, {when}: {found:?}");
    }
    left
}

fn names(found: &Found) -> BTreeSet<&str> {
    found.keys().map(String::as_str).collect()
}

/// While a session lives, the search finds what it must have: whatever it does not find later is gone.
fn assert_finds_what_is_alive(during: &Found) {
    let alive = [STATIC, "seed of private numbers", "initiator's session key", "responder's session key"];
    for needle in alive {
        assert!(during.contains_key(needle), "{needle}: the search must be able to find it: {during:?}");
    }
}

#[test]
fn a_wiping_allocator_leaves_the_static_key_alone() {
    for role in [Role::Initiator, Role::Responder] {
        for seed in 0..4 {
            let Left { during, after, at_last } = session(WIPING, role, seed);
            assert_finds_what_is_alive(&during);
            let alive = 4;
            assert_eq!(during.len(), alive, "nothing of the handshake, while the session lives: {during:?}");
            assert_eq!(names(&after), BTreeSet::from([STATIC]), "after the session: {after:?}");
            assert_eq!(after[STATIC].values().sum::<usize>(), STATIC_COPIES, "{after:?}");
            assert!(at_last.is_empty(), "after the endpoint: {at_last:?}");
        }
    }
}

/// What `docs/security.md` lists as left behind without one, and nothing else. A list that gets shorter is good news, and
/// to be corrected there.
#[test]
fn another_allocator_leaves_what_the_documentation_says() {
    // Another package of the same build may have asked for `ring`, whose keys are four times as large.
    let documented = if Session::HEAP > 1_000 {
        BTreeSet::from([
            STATIC,
            "chaining key after se",
            "initiator's session key",
            "responder's session key",
        ])
    } else {
        BTreeSet::from([STATIC, "chaining key after se"])
    };
    for role in [Role::Initiator, Role::Responder] {
        let Left { during, after, at_last } = session(PLAIN, role, 1);
        assert_finds_what_is_alive(&during);
        assert_eq!(names(&after), documented, "after the session: {after:?}");
        assert!(!at_last.contains_key(STATIC), "it was wiped by its owner: {at_last:?}");
        let on_heap =
            |places: &std::collections::BTreeMap<String, usize>| places.keys().all(|at| at == "[heap]");
        assert!(after.values().all(on_heap), "none of it on the stack: {after:?}");
    }
}
