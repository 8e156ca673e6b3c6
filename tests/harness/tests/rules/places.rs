//! Section 3, "Confirmation": sessions and their bounds, and peers that call at the same time or again. Section 2: ids.

use core::convert::Infallible;

use harness::pool::HeapPool;
use rand_core::{TryCryptoRng, TryRng};
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec_recovery::endpoint::{Config, Endpoint};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::memory::Small;

use super::lab::{Lab, Peer, address, initiation, keys, parameters};
use super::{frames_of, session};

/// A random source that draws 64-bit numbers from a list, and bytes of no interest.
struct Drawn(Vec<u64>);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(4)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.remove(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(9);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// An attempt, a half-open entry, a session, and one that is closing have an id each, and the source draws all four again.
#[test]
fn an_id_is_never_one_that_is_in_use() {
    let peers: Vec<_> = (10..14).map(keys).collect();
    let mut lab = Lab::new(&peers.iter().map(|keys| keys.public()).collect::<Vec<_>>());
    let (closing, id) = Peer::connect(&mut lab, &peers[0], address(1), 0);
    lab.endpoint.release(lab.now, id);
    lab.drain();
    assert_eq!((lab.endpoint.sessions(), lab.endpoint.farewells()), (0, 1));
    let (open, _) = Peer::connect(&mut lab, &peers[1], address(2), 1);
    let half_open = Peer::half_open(&mut lab, &peers[2], address(3), 2);
    lab.endpoint.connect(lab.now, &mut lab.entropy, address(4), peers[3].public()).expect("room");
    let attempt = lab.drain().datagrams.remove(0).1;
    let attempt = u64::from_le_bytes(attempt[4..12].try_into().expect("eight bytes"));
    let used = [closing, open, half_open].map(|peer| peer.session.peer_id());
    let mut drawn = Drawn([&used[..], &[attempt, 77, 78]].concat());
    lab.endpoint.connect(lab.now, &mut drawn, address(5), keys(20).public()).expect("a free id");
    let initiation = lab.drain().datagrams.remove(0).1;
    assert_eq!(initiation[4..12], 77_u64.to_le_bytes());
}

#[test]
fn the_first_packet_of_a_session_is_acknowledged_at_once() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    let first = peer.seal(|frames| frames.stream(0, false, 3).expect("room").fill(1));
    lab.deliver(address(1), &first);
    let done = lab.drain();
    let id = lab.last_session();
    assert_eq!(
        done.events,
        [(id, Event::Established), (id, Event::Readable)],
        "it is a packet like any other"
    );
    assert_eq!(frames_of(&mut peer, &done.datagrams), [["ACK", "PING"]]);
}

#[test]
fn a_session_begins_on_the_path_of_the_packet_that_confirms_it() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    peer.path = address(2);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    let id = lab.last_session();
    assert_eq!(lab.connection(id).path(), address(2));
    assert!(done.datagrams.iter().all(|(to, _)| *to == address(2)));
}

#[test]
fn the_oldest_session_of_a_key_gives_way_at_the_bound() {
    let peer_keys = keys(10);
    let mut lab = Lab::with(&[peer_keys.public()], 8, |config| config.sessions_per_peer = 2);
    let (_, first) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let (_, second) = Peer::connect(&mut lab, &peer_keys, address(2), 1);
    assert_eq!(lab.connection(first).closure(), None, "two are within the bound");
    let mut third = Peer::half_open(&mut lab, &peer_keys, address(3), 2);
    let done = third.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.contains(&(first, Event::Closed(Closure::Superseded))), "{:?}", done.events);
    assert!(done.datagrams.iter().all(|(to, _)| *to == address(3)), "without a word");
    assert_eq!(lab.connection(second).closure(), None);
}

#[test]
fn a_superseded_session_gives_its_memory_at_once_where_there_is_no_other() {
    let peer_keys = keys(10);
    let mut lab = Lab::with(&[peer_keys.public()], 1, |_| {});
    let (_, old) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    // Its application has not released it, nor heard of anything.
    let mut new = Peer::half_open(&mut lab, &peer_keys, address(1), 1);
    let done = new.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.contains(&(old, Event::Closed(Closure::Superseded))), "{:?}", done.events);
    assert!(done.events.contains(&(lab.last_session(), Event::Established)));
    assert!(lab.endpoint.session(old).is_none());
    assert_eq!((lab.endpoint.sessions(), lab.endpoint.rejects().total()), (1, 0));
}

#[test]
fn a_session_that_we_began_supersedes_only_when_its_first_packet_opens() {
    let (mut lab, mut old, old_id) = session();
    let peer_keys = keys(10);
    lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), peer_keys.public()).expect("room");
    let call = lab.drain().datagrams.remove(0).1;
    let (mut new, response) = Peer::answering(&lab, &peer_keys, address(1), &call);
    lab.deliver(address(1), &response);
    let done = lab.drain();
    assert_eq!(done.events, [(lab.last_session(), Event::Established)]);
    let done = old.send(&mut lab, |frames| frames.stream(0, false, 1).expect("room").fill(1));
    assert_eq!(done.events, [(old_id, Event::Readable)], "the old one goes on");
    let done = new.send(&mut lab, |frames| frames.ping().expect("room"));
    assert_eq!(done.events, [(old_id, Event::Closed(Closure::Superseded))]);
}

/// We call the peer, whose own call arrives before it answers.
#[test]
fn at_a_higher_bound_calls_in_both_directions_become_two_sessions() {
    let peer_keys = keys(10);
    let mut lab = Lab::with(&[peer_keys.public()], 8, |config| config.sessions_per_peer = 2);
    let ours = lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), peer_keys.public()).expect("room");
    let call = lab.drain().datagrams.remove(0).1;
    let (_, theirs) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let (mut peer, response) = Peer::answering(&lab, &peer_keys, address(1), &call);
    lab.deliver(address(1), &response);
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert_eq!(lab.endpoint.sessions(), 2);
    assert_eq!([ours, theirs].map(|id| lab.connection(id).closure()), [None, None]);
}

/// The peer has lost its session: what we send it names none there, and gets silence. Its new call ends ours.
#[test]
fn a_peer_that_has_restarted_is_noticed_when_it_calls_again() {
    let (mut lab, peer, old) = session();
    lab.connection(old).write(&[1; 100]).expect("open");
    let (_, stray) = lab.drain().datagrams.remove(0);
    let mut restarted = Lab::new(&[]);
    restarted.assert_rejects(Reject::UnknownSession, address(1), &stray);
    drop(peer);
    let (_, new) = Peer::connect(&mut lab, &keys(10), address(1), 9);
    assert_eq!(lab.connection(old).closure(), Some(Closure::Superseded));
    assert_eq!(lab.connection(new).closure(), None);
}

/// Entries that one key gets in a table of `HANDSHAKES` places.
fn entries_of_one_key<const HANDSHAKES: usize>() -> usize {
    let own = keys(1);
    let caller = keys(10);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*caller.public()).expect("room");
    let mut config = Config::new(own.clone(), parameters());
    config.unproven_per_second = u16::MAX;
    let pool = HeapPool::<Small>::new(1);
    let mut endpoint = Endpoint::<_, _, 1, HANDSHAKES>::new(config, Box::default(), pool, allowed);
    let mut entropy = super::lab::Entropy::new(3);
    for nth in 0..6 {
        let mut call = *initiation(&caller, own.public(), nth).datagram();
        endpoint.handle_datagram(super::second(0), &mut entropy, address(1), &mut call);
    }
    endpoint.half_open()
}

#[test]
fn a_key_has_at_most_four_half_open_entries_and_never_the_whole_table() {
    assert_eq!(entries_of_one_key::<8>(), 4);
    assert_eq!(entries_of_one_key::<5>(), 4);
    assert_eq!(entries_of_one_key::<4>(), 3);
    assert_eq!(entries_of_one_key::<2>(), 1);
    assert_eq!(entries_of_one_key::<1>(), 1, "of one place it has that");
}
