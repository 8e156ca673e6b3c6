//! A peer with keys that moves to the next key as often as the protocol lets it.

use super::{flood, heap, session};

/// Each acknowledgement permits one more update. The endpoint follows each, at the cost of one answer that it would have
/// given anyway, and remembers no more keys than before.
#[test]
fn an_update_for_every_acknowledgement_is_followed_in_the_same_memory() {
    let (mut lab, mut peer, id) = session(6);
    let packets = flood();
    let (mut updates, mut answers, mut settled) = (0, 0, None);
    for nth in 0..packets {
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        answers += done.datagrams.len() as u64;
        for (_, datagram) in &done.datagrams {
            // It opens, so the endpoint has followed.
            peer.open(datagram);
            let last = peer.session.next_packet_number() - 1;
            peer.session.on_acknowledged(last);
        }
        drop(done);
        updates += u64::from(peer.session.update_key());
        if nth == packets / 10 {
            settled = Some(heap::live());
        }
    }
    assert_eq!(Some(heap::live()), settled, "memory grew");
    println!("{updates} updates in {packets} packets, {answers} answers");
    assert!(updates > packets / 3, "{updates}");
    assert!(answers <= packets);
    assert_eq!(lab.endpoint.rejects().total(), 0);
    assert_eq!(lab.connection(id).closure(), None);
    assert_eq!(lab.connection(id).stats().key_updates, 0, "it only follows");
}
