//! What a reader of an error sees, and what an interest covers.

use std::string::ToString;

use udp_sec::error::CloseCode;
use udp_sec::keys::PublicKey;

use super::{CloseReason, Interest, PeerIdentity, StreamError};

#[test]
fn either_is_both() {
    assert_eq!(
        [Interest::Readable, Interest::LowWater, Interest::Either].map(Interest::in_reading),
        [true, false, true]
    );
    assert_eq!(
        [Interest::Readable, Interest::LowWater, Interest::Either].map(Interest::in_writing),
        [false, true, true]
    );
}

#[test]
fn delivery_is_neither_reading_nor_room() {
    assert_eq!((Interest::Delivered.in_reading(), Interest::Delivered.in_writing()), (false, false));
}

#[test]
fn errors_tell_who_ended_the_session() {
    let by_peer = StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort));
    assert_eq!(by_peer.to_string(), "closed by the peer: aborted by the application");
    let by_us = StreamError::Closed(CloseReason::ByUs(CloseCode::MalformedFrame));
    assert_eq!(by_us.to_string(), "closed by this side: malformed frame");
    let refused = StreamError::Closed(CloseReason::Refused(CloseCode::NoAppProtocol));
    assert_eq!(refused.to_string(), "refused by the peer: no such application protocol");
}

#[test]
fn identities_are_their_keys() {
    let key = PublicKey::from_bytes([7; 32]);
    assert_eq!(PeerIdentity::unproven_for_tests(key).key(), &key);
    assert_ne!(
        PeerIdentity::unproven_for_tests(key),
        PeerIdentity::unproven_for_tests(PublicKey::from_bytes([8; 32]))
    );
}
