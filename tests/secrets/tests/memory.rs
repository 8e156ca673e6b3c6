//! Secrets in the memory of a process, while it needs them and afterwards.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};

use secrets::end::Carrier;
use secrets::needles::{Needle, phases};
use secrets::observer::{Observer, Role};
use secrets::search::Found;
use udp_sec::session::Session;

const PLAIN: &str = env!("CARGO_BIN_EXE_victim-plain");
const WIPING: &str = env!("CARGO_BIN_EXE_victim-wiping");
const STATIC: &str = "static secret";
const SEED: &str = "seed of private numbers";
/// Keys of each direction that are looked for: more than a session of these tests comes to.
const PHASES: usize = 20;

/// What is in memory before the session, while it lives, after it, and after the endpoint.
struct Left {
    during: Found,
    after: Found,
    at_last: Found,
    /// The keys of what the victim sends, and of what it receives, phase by phase.
    directions: [Vec<String>; 2],
}

/// A session of a victim in `role` over `carrier`, with packets both ways.
fn session(program: &str, role: Role, carrier: Carrier, seed: u64) -> Left {
    let mut observer = Observer::start(program, role, carrier, seed).expect("a victim");
    observer.connect().expect("goes on");
    for _ in 0..6 {
        observer.talk().expect("goes on");
    }
    let schedule = observer.schedule();
    let mut directions = schedule.session.map(|first| phases(&first, PHASES));
    if role == Role::Responder {
        directions.reverse();
    }
    let of_session = observer.drawn().into_iter().chain(schedule.handshake);
    let needles: Vec<Needle> = [observer.static_secret()]
        .into_iter()
        .chain(of_session)
        .chain(directions.iter().flatten().cloned())
        .collect();
    assert_eq!(
        needles.len(),
        15 + 2 * PHASES,
        "one static, two drawn, twelve on the way to those of the session"
    );
    // Three probe timeouts, behind which the key before the present one is given up.
    observer.pause().expect("goes on");
    let during = observer.search(&needles).expect("our own child");
    observer.end_session().expect("goes on");
    let after = observer.search(&needles).expect("our own child");
    observer.drop_end().expect("goes on");
    let at_last = observer.search(&needles).expect("our own child");
    let directions = directions.map(|keys| keys.into_iter().map(|key| key.name).collect());
    let left = Left { during, after, at_last, directions };
    for (when, found) in [("session", &left.during), ("closed", &left.after), ("dropped", &left.at_last)] {
        println!("{program}, {role:?}, {carrier:?}, {when}: {found:?}");
    }
    left
}

fn names(found: &Found) -> BTreeSet<&str> {
    found.keys().map(String::as_str).collect()
}

/// Whether another package of the same build has asked for `ring`, whose keys are larger and do not wipe themselves.
fn is_ring() -> bool {
    Session::HEAP > 1_000
}

/// The endpoint's configuration and its responder have the static key; over a byte stream there is no responder yet.
const fn static_copies(carrier: Carrier) -> usize {
    match carrier {
        Carrier::Datagrams | Carrier::Updating => 2,
        Carrier::Records => 1,
    }
}

/// The phases of `keys` that are in `found`.
fn phases_of(keys: &[String], found: &Found) -> Vec<usize> {
    (0..keys.len()).filter(|phase| found.contains_key(&keys[*phase])).collect()
}

/// While a session lives, the search finds what it must have: whatever it does not find later is gone. And it finds
/// nothing but that: of the keys those of one phase, and the next one of what is received.
fn assert_finds_what_is_alive(carrier: Carrier, left: &Left) {
    let [sends, receives] = left.directions.each_ref().map(|keys| phases_of(keys, &left.during));
    let mut others = BTreeSet::from([STATIC]);
    if carrier == Carrier::Records {
        assert_eq!((&sends[..], &receives[..]), (&[0][..], &[0][..]), "{:?}", left.during);
    } else {
        others.insert(SEED);
        let [phase] = sends[..] else { panic!("one key to send with: {:?}", left.during) };
        assert_eq!(receives, [phase, phase + 1], "{:?}", left.during);
        assert_eq!(phase > 1, carrier == Carrier::Updating, "phase {phase}");
    }
    let keys = sends.len() + receives.len();
    assert_eq!(left.during.len(), others.len() + keys, "nothing of the handshake: {:?}", left.during);
    assert!(others.iter().all(|name| left.during.contains_key(*name)), "{:?}", left.during);
}

#[test]
fn a_wiping_allocator_leaves_the_static_key_alone() {
    for carrier in Carrier::ALL {
        for (role, seed) in [Role::Initiator, Role::Responder]
            .into_iter()
            .flat_map(|role| (0..4).map(move |seed| (role, seed)))
        {
            let left = session(WIPING, role, carrier, seed);
            assert_finds_what_is_alive(carrier, &left);
            let Left { after, at_last, .. } = left;
            assert_eq!(names(&after), BTreeSet::from([STATIC]), "after the session: {after:?}");
            assert_eq!(after[STATIC].values().sum::<usize>(), static_copies(carrier), "{after:?}");
            assert!(at_last.is_empty(), "after the endpoint: {at_last:?}");
        }
    }
}

/// What `docs/security.md` lists as left behind without one, and nothing else. A list that gets shorter is good news, and
/// to be corrected there.
#[test]
fn another_allocator_leaves_what_the_documentation_says() {
    for (role, carrier) in [Role::Initiator, Role::Responder]
        .into_iter()
        .flat_map(|role| Carrier::ALL.into_iter().map(move |carrier| (role, carrier)))
    {
        let left = session(PLAIN, role, carrier, 1);
        let documented = BTreeSet::from([STATIC, "chaining key after se"]);
        let is_key = |name: &str| left.directions.iter().flatten().any(|key| key == name);
        let keys = left.after.keys().filter(|name| is_key(name)).count();
        // Those of `ring` lie where they were until something else is allocated there.
        assert!(keys == 0 || is_ring(), "keys after the session: {:?}", left.after);
        let others: BTreeSet<_> = names(&left.after).into_iter().filter(|name| !is_key(name)).collect();
        assert_eq!(others, documented, "after the session: {:?}", left.after);
        assert!(!left.at_last.contains_key(STATIC), "it was wiped by its owner: {:?}", left.at_last);
        let on_heap = |places: &BTreeMap<String, usize>| places.keys().all(|at| at == "[heap]");
        assert!(left.after.values().all(on_heap), "none of it on the stack: {:?}", left.after);
    }
}
