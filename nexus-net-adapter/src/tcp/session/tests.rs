//! Sessions without a byte stream: the handshake and its refusals, the two ends of a stream, and every way to cheat.

use std::vec;
use std::vec::Vec;

use chacha20::ChaCha20Rng;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::handshake::{Answer, Initiator};
use udp_sec::limits::{HANDSHAKE_BUDGET, RECORDS_PER_KEY};
use udp_sec::session::record::RecordSession;
use udp_sec::time::{Duration, Instant};

use super::SecureTcp;
use crate::stream::{CloseReason, Interest, StreamError};
use crate::tcp::tests::{
    Host, IDLE, Pair, allow, carry, config, drain, feed, memory, pattern, read_all, rng,
};
use crate::tcp::{INBOUND_MIN, OUTBOUND_MIN};

const LOST: Result<(), StreamError> = Err(StreamError::Closed(CloseReason::ConnectionLost));
const WOULD_BLOCK: Result<(), StreamError> = Err(StreamError::WouldBlock);

fn closed<T>(reason: CloseReason) -> Result<T, StreamError> {
    Err(StreamError::Closed(reason))
}

/// A record as it lies on the wire.
fn sealed(session: &mut RecordSession, text: &[u8]) -> Vec<u8> {
    let mut record = [text, &[0; 16]].concat();
    session.seal(&mut record).unwrap();
    [&u16::try_from(record.len()).unwrap().to_le_bytes()[..], &record].concat()
}

/// A called side in the middle of a handshake with a caller by hand: the side, the Response, the caller's handshake.
fn called() -> (Host, Vec<u8>, Initiator<udp_sec::handshake::Records>) {
    let (client, server) = (config(1), config(2));
    let initiator =
        Initiator::for_records(&client.keypair, server.keypair.public(), 7, &client.parameters, &mut rng(3))
            .unwrap();
    let mut host = SecureTcp::accept(Instant::ZERO, memory(1 << 16, 1 << 16), &server);
    feed(Instant::ZERO, &mut host, &[&[0xb0, 0x04][..], initiator.datagram()].concat());
    host.answer(&server, &allow(client.keypair.public()), &mut rng(4)).unwrap();
    let response = drain(Instant::ZERO, &mut host);
    (host, response, initiator)
}

/// An open session whose peer is a test: the session, and the peer's keys.
fn open() -> (Host, RecordSession) {
    let (mut host, response, initiator) = called();
    let Answer::Established { mut session, .. } = initiator.read_response(&response[2..]) else {
        panic!("not established")
    };
    let alive = sealed(&mut session, &[0]);
    feed(Instant::ZERO, &mut host, &alive);
    host.established().unwrap();
    (host, session)
}

// The handshake.

#[test]
fn the_first_records_are_the_handshake_and_the_called_waits_for_proof() {
    let mut pair = Pair::new();
    let initiation = drain(pair.now, &mut pair.client);
    assert_eq!((initiation.len(), &initiation[..2]), (1202, &[0xb0, 0x04][..]));
    assert_eq!(pair.answer(), WOULD_BLOCK);
    feed(pair.now, &mut pair.server, &initiation[..1201]);
    assert_eq!(pair.answer(), WOULD_BLOCK, "one byte is missing");
    feed(pair.now, &mut pair.server, &initiation[1201..]);
    pair.answer().unwrap();
    let response = drain(pair.now, &mut pair.server);
    assert_eq!((response.len(), &response[..2]), (1202, &[0xb0, 0x04][..]));
    // The Initiation may be a recording: nobody is named, and nothing of ours is sent to it.
    assert_eq!((pair.server.peer(), pair.server.established().err()), (None, Some(StreamError::WouldBlock)));
    assert_eq!(pair.server.write(pair.now, b"early"), Err(StreamError::WouldBlock));
    assert_eq!(pair.server.finish(pair.now), WOULD_BLOCK);
    assert_eq!(pair.client.write(pair.now, b"early"), Err(StreamError::WouldBlock));

    feed(pair.now, &mut pair.client, &response);
    assert_eq!(pair.client.established().unwrap().key(), config(2).keypair.public());
    // One record without data is the proof, and it is not asked for: it leaves by itself.
    assert_eq!(pair.carry_there(), 2 + 1 + 16);
    assert_eq!(pair.server.established().unwrap().key(), config(1).keypair.public());
    assert_eq!(pair.carry_back(), 0);
}

#[test]
fn test_reject_peer_not_authorized_without_a_byte() {
    let mut pair = Pair::new();
    pair.carry_there();
    let nobody = AllowList::<1>::new();
    let answer = pair.server.answer(&config(2), &nobody, &mut rng(4));
    assert_eq!((answer, pair.server.reject()), (LOST, Some(Reject::PeerNotAuthorized)));
    assert!(drain(pair.now, &mut pair.server).is_empty() && pair.server.is_silent());
    assert_eq!(pair.server.peer(), None);
    // The caller hears nothing, and then the end of the connection.
    pair.client.received_end(pair.now);
    assert_eq!(pair.client.established().err(), closed::<()>(CloseReason::HandshakeTimeout).err());
}

#[test]
fn test_reject_bad_mac1_without_a_byte() {
    // Whoever does not know our key, or damages one bit on the way, gets silence.
    let initiation = drain(Instant::ZERO, &mut Pair::new().client);
    for bit in [8 * 2 + 40, 8 * 600, 8 * 1180] {
        let mut bad = initiation.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut pair = Pair::new();
        feed(pair.now, &mut pair.server, &bad);
        assert_eq!(pair.answer(), LOST);
        assert_eq!(pair.server.reject(), Some(Reject::BadMac1));
        assert!(drain(pair.now, &mut pair.server).is_empty());
    }
    let mut stranger = Pair::with(config(1), config(22));
    let initiation = drain(stranger.now, &mut stranger.client);
    let mut pair = Pair::new();
    feed(pair.now, &mut pair.server, &initiation);
    assert_eq!(pair.answer(), LOST);
}

/// A random source that fails after so many calls.
struct Failing(usize);

impl Failing {
    fn step(&mut self) -> Result<ChaCha20Rng, core::fmt::Error> {
        self.0 = self.0.checked_sub(1).ok_or(core::fmt::Error)?;
        Ok(rng(self.0 as u64))
    }
}

impl TryRng for Failing {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.step()?.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.step()?.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.step()?.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Failing {}

/// The random source fails at its k-th call, for every k, on either side: not a byte leaves.
#[test]
fn test_reject_entropy_unavailable_before_a_byte() {
    let mut failures = [0; 2];
    for calls in 0.. {
        let (room, server) = (memory(INBOUND_MIN, OUTBOUND_MIN), config(2));
        let mut random = Failing(calls);
        match SecureTcp::connect(Instant::ZERO, room, &config(1), server.keypair.public(), &mut random) {
            Ok(_) => break,
            Err(reject) => assert_eq!(reject, Reject::EntropyUnavailable),
        }
        failures[0] += 1;
    }
    for calls in 0.. {
        let mut pair = Pair::new();
        pair.carry_there();
        let allowed = allow(config(1).keypair.public());
        let answer = pair.server.answer(&config(2), &allowed, &mut Failing(calls));
        let sent = drain(pair.now, &mut pair.server).len();
        if answer.is_ok() {
            assert_eq!(sent, 1_202);
            break;
        }
        assert_eq!((answer, pair.server.reject()), (LOST, Some(Reject::EntropyUnavailable)));
        assert_eq!(sent, 0);
        failures[1] += 1;
    }
    // The id, the ephemeral key, and what a session over datagrams would draw its numbers from.
    assert_eq!(failures, [3, 3]);
}

#[test]
fn a_refusal_is_authenticated_and_final() {
    let mut other = config(1);
    other.parameters.application = ApplicationProtocol::new(b"other/1").unwrap();
    let mut pair = Pair::with(other, config(2));
    pair.carry_there();
    assert_eq!(pair.answer(), closed(CloseReason::ByUs(CloseCode::NoAppProtocol)));
    assert_eq!(pair.carry_back(), 1202);
    assert!(pair.server.is_silent());
    assert_eq!(
        pair.client.established().err(),
        closed::<()>(CloseReason::Refused(CloseCode::NoAppProtocol)).err()
    );
    assert_eq!(pair.client.reject(), None);
}

#[test]
fn a_response_that_does_not_open_ends_the_attempt() {
    for bit in [0, 16, 8 * 40, 8 * 1201] {
        let mut pair = Pair::new();
        pair.carry_there();
        pair.answer().unwrap();
        let mut response = drain(pair.now, &mut pair.server);
        response[bit / 8] ^= 1 << (bit % 8);
        feed(pair.now, &mut pair.client, &response);
        assert_eq!(pair.client.established().err(), LOST.err(), "bit {bit}");
        assert!(pair.client.reject().is_some());
        assert!(drain(pair.now, &mut pair.client).is_empty());
    }
}

#[test]
fn a_handshake_ends_with_its_budget() {
    let budget = HANDSHAKE_BUDGET;
    let mut pair = Pair::new();
    pair.pass(budget.saturating_sub(Duration::from_micros(1)));
    assert_eq!(pair.client.established().err(), Some(StreamError::WouldBlock));
    assert_eq!(pair.client.wake_at(), Some(Instant::ZERO + budget));
    pair.pass(Duration::from_micros(1));
    assert_eq!(pair.client.established().err(), closed::<()>(CloseReason::HandshakeTimeout).err());
    assert_eq!(pair.answer(), closed(CloseReason::HandshakeTimeout));
    // Half-open as well: a recording of the first message holds a place no longer than that.
    let mut pair = Pair::new();
    pair.carry_there();
    pair.answer().unwrap();
    pair.pass(budget);
    assert_eq!(pair.server.established().err(), closed::<()>(CloseReason::HandshakeTimeout).err());
}

#[test]
fn a_recorded_handshake_opens_nothing() {
    let mut pair = Pair::new();
    let initiation = drain(pair.now, &mut pair.client);
    feed(pair.now, &mut pair.server, &initiation);
    pair.answer().unwrap();
    let response = drain(pair.now, &mut pair.server);
    feed(pair.now, &mut pair.client, &response);
    let confirmation = drain(pair.now, &mut pair.client);
    // The same bytes again, to the same host, which draws other numbers this time.
    let mut replayed = SecureTcp::accept(pair.now, memory(1 << 16, 1 << 16), &config(2));
    feed(pair.now, &mut replayed, &[initiation, confirmation].concat());
    replayed.answer(&config(2), &allow(config(1).keypair.public()), &mut rng(44)).unwrap();
    replayed.received(pair.now, 0);
    assert_eq!((replayed.peer(), replayed.reject()), (None, Some(Reject::DecryptFailed)));
    // The recorded Response to a caller that calls again.
    let mut again = SecureTcp::connect(
        pair.now,
        memory(1 << 16, 1 << 16),
        &config(1),
        config(2).keypair.public(),
        &mut rng(33),
    )
    .unwrap();
    feed(pair.now, &mut again, &response);
    assert_eq!((again.peer(), again.reject()), (None, Some(Reject::UnknownSession)));
}

// The stream.

#[test]
fn both_directions_carry_bytes_and_end_apart() {
    let mut pair = Pair::established();
    let (there, back) = (pattern(40_000), pattern(50_000));
    assert_eq!(pair.client.write(pair.now, &there), Ok(40_000));
    assert_eq!(pair.server.write(pair.now, &back), Ok(50_000));
    pair.client.finish(pair.now).unwrap();
    assert_eq!(pair.client.write(pair.now, b"more"), Err(StreamError::Finished));
    let mut read = Vec::new();
    while read.len() < there.len() {
        pair.exchange();
        read.extend(read_all(pair.now, &mut pair.server).0);
    }
    assert_eq!((read == there, pair.server.read(pair.now, &mut [0])), (true, Ok(0)));
    // The other direction goes on.
    assert_eq!((pair.server.write(pair.now, b"and more"), pair.server.ended()), (Ok(8), WOULD_BLOCK));
    pair.exchange();
    let mut read = read_all(pair.now, &mut pair.client).0;
    pair.exchange();
    read.extend(read_all(pair.now, &mut pair.client).0);
    assert!(read == [&back[..], b"and more"].concat());
    pair.server.finish(pair.now).unwrap();
    pair.exchange();
    assert_eq!(read_all(pair.now, &mut pair.client), (vec![], Ok(())));
    assert_eq!((pair.client.ended(), pair.server.ended()), (Ok(()), Ok(())));
    assert!(pair.client.is_silent() && pair.server.is_silent());
    assert_eq!(
        (pair.client.finish(pair.now), pair.client.write(pair.now, b"x")),
        (Ok(()), Err(StreamError::Finished))
    );
}

/// Complete means that the peer has everything: the end is not believed before it says so.
#[test]
fn complete_only_by_the_peers_word() {
    let mut pair = Pair::established();
    pair.client.write(pair.now, b"for you").unwrap();
    pair.client.finish(pair.now).unwrap();
    pair.server.finish(pair.now).unwrap();
    pair.carry_back();
    // Both FINs are out, but ours has not arrived.
    assert_eq!(pair.client.ended(), WOULD_BLOCK);
    pair.client.received_end(pair.now);
    assert_eq!(pair.client.ended(), LOST);
}

#[test]
fn back_pressure_and_the_low_water_mark() {
    let mut pair = Pair::established();
    let data = pattern(1 << 20);
    let first = pair.client.write(pair.now, &data).unwrap();
    assert!((60_000..1 << 16).contains(&first), "{first} bytes taken");
    assert_eq!(pair.client.write(pair.now, &data[first..]), Err(StreamError::WouldBlock));
    assert_eq!(pair.client.ready(Interest::LowWater), WOULD_BLOCK);
    assert!((first as u64..first as u64 + 200).contains(&pair.client.unsent()));
    // Most of it leaves: room for more, but not below the mark.
    pair.client.set_low_water(10_000);
    let most = pair.client.transmit().len() - 15_000;
    pair.client.sent(pair.now, most);
    assert_eq!(pair.client.ready(Interest::LowWater), WOULD_BLOCK);
    pair.client.set_low_water(0);
    assert_eq!(pair.client.ready(Interest::LowWater), Ok(()));
    assert_eq!(
        (pair.client.ready(Interest::Readable), pair.client.ready(Interest::Either)),
        (WOULD_BLOCK, Ok(()))
    );
    // The reader's memory is a bound, too.
    let mut pair = Pair::established();
    let mut taken = 0;
    while let Ok(count) = pair.client.write(pair.now, &data[taken..]) {
        taken += count;
        pair.exchange();
    }
    assert!(taken <= 2 << 16, "{taken} bytes are in two buffers of 64 KiB");
    let mut read = Vec::new();
    while read.len() < data.len() {
        read.extend(read_all(pair.now, &mut pair.server).0);
        taken += pair.client.write(pair.now, &data[taken..]).unwrap_or(0);
        pair.exchange();
    }
    assert!(read == data);
}

#[test]
fn small_writes_share_records_while_the_wire_is_busy() {
    let mut pair = Pair::established();
    for byte in pattern(5_000) {
        assert_eq!(pair.client.write(pair.now, &[byte]), Ok(1));
    }
    assert_eq!(pair.client.transmit().len(), 5_000 + 19, "one record");
    pair.exchange();
    assert!(read_all(pair.now, &mut pair.server).0 == pattern(5_000));
}

#[test]
fn an_abort_is_told_and_drops_the_rest() {
    let mut pair = Pair::established();
    pair.client.write(pair.now, b"sent").unwrap();
    pair.exchange();
    pair.client.write(pair.now, b"never sent").unwrap();
    pair.client.abort(pair.now);
    assert_eq!(pair.client.read(pair.now, &mut [0]), closed(CloseReason::ByUs(CloseCode::AppAbort)));
    pair.exchange();
    let by_peer = closed(CloseReason::ByPeer(CloseCode::AppAbort));
    assert_eq!(read_all(pair.now, &mut pair.server), (b"sent".to_vec(), by_peer));
    assert_eq!(
        (pair.server.write(pair.now, b"x"), pair.server.finish(pair.now)),
        (by_peer.map(|()| 0), by_peer)
    );
    assert_eq!(pair.server.peer().unwrap().key(), config(1).keypair.public());
}

/// Every place where the connection can break off, and every place where TCP can say that this is the end.
#[test]
fn a_truncated_stream_is_never_a_clean_end() {
    let sent = b"two records of it";
    let whole = {
        let mut pair = Pair::established();
        pair.client.write(pair.now, sent).unwrap();
        let mut bytes = drain(pair.now, &mut pair.client);
        let first = bytes.len();
        pair.client.finish(pair.now).unwrap();
        bytes.extend(drain(pair.now, &mut pair.client));
        assert_eq!((first, bytes.len()), (19 + sent.len(), 19 + sent.len() + 19));
        bytes
    };
    for len in 0..whole.len() {
        let mut pair = Pair::established();
        feed(pair.now, &mut pair.server, &whole[..len]);
        pair.server.received_end(pair.now);
        let (read, end) = read_all(pair.now, &mut pair.server);
        let expected = if len >= 19 + sent.len() { &sent[..] } else { &[] };
        assert_eq!((&read[..], end), (expected, LOST), "{len} bytes");
    }
    // Even with all of it the end of our own direction was not acknowledged: the stream ends, the session is lost.
    let mut pair = Pair::established();
    feed(pair.now, &mut pair.server, &whole);
    pair.server.received_end(pair.now);
    assert_eq!(read_all(pair.now, &mut pair.server), (sent.to_vec(), Ok(())));
    assert_eq!((pair.server.ended(), pair.server.reject()), (LOST, None));
}

#[test]
fn every_bit_on_the_wire_counts() {
    let mut pair = Pair::established();
    pair.client.write(pair.now, b"nine bits").unwrap();
    let bytes = drain(pair.now, &mut pair.client);
    for bit in 0..8 * bytes.len() {
        let mut pair = Pair::established();
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // A length that is too long waits for bytes that do not come.
        feed(pair.now, &mut pair.server, &bad);
        feed(pair.now, &mut pair.server, &vec![0; 17_000]);
        assert_eq!(read_all(pair.now, &mut pair.server), (vec![], LOST), "bit {bit}");
        assert!(pair.server.reject().is_some());
        assert!(drain(pair.now, &mut pair.server).is_empty(), "no answer to what nobody sealed");
    }
}

#[test]
fn records_repeated_left_out_or_exchanged_are_refused() {
    let records: Vec<Vec<u8>> = {
        let mut pair = Pair::established();
        [b"a", b"b", b"c"].map(|text| {
            pair.client.write(pair.now, text).unwrap();
            drain(pair.now, &mut pair.client)
        })
    }
    .into();
    for (order, read) in [(&[0, 0][..], "a"), (&[1], ""), (&[0, 2], "a"), (&[1, 0], ""), (&[0, 1, 1], "ab")] {
        let mut pair = Pair::established();
        let mut seen = Vec::new();
        for at in order {
            feed(pair.now, &mut pair.server, &records[*at]);
            seen.extend(read_all(pair.now, &mut pair.server).0);
        }
        assert_eq!((&seen[..], pair.server.ended()), (read.as_bytes(), LOST), "{order:?}");
        assert_eq!(pair.server.reject(), Some(Reject::DecryptFailed));
    }
    // A reflection is no record of the peer's either.
    let mut pair = Pair::established();
    pair.client.write(pair.now, b"echo").unwrap();
    let bytes = drain(pair.now, &mut pair.client);
    feed(pair.now, &mut pair.client, &bytes);
    assert_eq!((pair.client.ended(), pair.client.reject()), (LOST, Some(Reject::DecryptFailed)));
}

#[test]
fn test_reject_malformed_frame_in_a_record() {
    for text in [&[5][..], &[255, 1], &[0, 0], &[1, 0], &[2], &[3, 1], &[4], &[4, 0], &[4, 0, 0, 0]] {
        let (mut host, mut peer) = open();
        let bytes = sealed(&mut peer, text);
        feed(Instant::ZERO, &mut host, &bytes);
        assert_eq!(host.ended(), closed(CloseReason::ByUs(CloseCode::MalformedFrame)), "{text:?}");
        // It was the peer: it is told.
        let mut told = drain(Instant::ZERO, &mut host);
        assert_eq!(peer.open(&mut told[2..]).unwrap().text(), [4, 7, 0]);
    }
}

#[test]
fn test_reject_final_size_changed_in_a_record() {
    for text in [&[2, 9][..], &[3]] {
        let (mut host, mut peer) = open();
        let bytes = [sealed(&mut peer, &[3]), sealed(&mut peer, text)].concat();
        feed(Instant::ZERO, &mut host, &bytes);
        assert_eq!(host.ended(), closed(CloseReason::ByUs(CloseCode::FinalSizeChanged)));
        assert_eq!(host.read(Instant::ZERO, &mut [0; 4]), Ok(0), "nothing follows the end");
    }
}

#[test]
fn signs_of_life_are_allowed_after_the_end() {
    let (mut host, mut peer) = open();
    let bytes = [sealed(&mut peer, &[3]), sealed(&mut peer, &[1]), sealed(&mut peer, &[0])].concat();
    feed(Instant::ZERO, &mut host, &bytes);
    assert_eq!((host.ended(), host.read(Instant::ZERO, &mut [0])), (WOULD_BLOCK, Ok(0)));
}

// Time.

#[test]
fn a_silent_peer_is_noticed() {
    let mut pair = Pair::established();
    pair.pass(IDLE.saturating_sub(Duration::from_micros(1)));
    assert_eq!(pair.client.ended(), WOULD_BLOCK);
    pair.pass(Duration::from_micros(1));
    assert_eq!((pair.client.ended(), pair.client.wake_at()), (closed(CloseReason::IdleTimeout), None));
    assert!(drain(pair.now, &mut pair.client).is_empty(), "there is nobody to tell");
}

/// Ten minutes at three events a minute: who receives data shows from time to time that it is there.
#[test]
fn a_sender_without_answers_does_not_time_out() {
    let mut pair = Pair::established();
    for round in 0..30_u8 {
        pair.client.write(pair.now, &[round]).unwrap();
        pair.exchange();
        assert_eq!(read_all(pair.now, &mut pair.server), (vec![round], WOULD_BLOCK));
        pair.pass(Duration::from_secs(20));
        pair.exchange();
    }
    assert_eq!((pair.client.ended(), pair.server.ended()), (WOULD_BLOCK, WOULD_BLOCK));
}

#[test]
fn keepalive_keeps_both_sides_and_without_it_signs_do_not_answer_signs() {
    let mut with = config(1);
    with.keepalive = true;
    let mut pair = Pair::with(with, config(2));
    pair.establish();
    let mut bytes = 0;
    for _ in 0..600 {
        pair.pass(Duration::from_secs(1));
        bytes += pair.carry_there() + pair.carry_back();
    }
    assert_eq!((pair.client.ended(), pair.server.ended()), (WOULD_BLOCK, WOULD_BLOCK));
    assert!((2 * 19 * 55..=2 * 19 * 61).contains(&bytes), "{bytes}: one record each way every ten seconds");
}

#[test]
fn a_peer_whose_bytes_wait_to_be_read_is_not_silent() {
    let mut pair = Pair::established();
    pair.client.write(pair.now, b"take your time").unwrap();
    pair.exchange();
    for _ in 0..100 {
        pair.pass(Duration::from_secs(10));
        pair.exchange();
        assert!(pair.server.wake_at().unwrap() > pair.now, "no spinning");
    }
    assert_eq!(read_all(pair.now, &mut pair.server), (b"take your time".to_vec(), WOULD_BLOCK));
    assert_eq!(pair.server.ended(), WOULD_BLOCK);
}

// Volume.

/// More records than one key may seal, on the smallest memory: the change of keys is not seen from above.
#[test]
fn a_million_records_and_a_change_of_keys() {
    let mut pair = Pair::established();
    let mut read = [0; 8];
    for number in 0..RECORDS_PER_KEY + 100 {
        let data = number.to_le_bytes();
        pair.client.write(pair.now, &data).unwrap();
        pair.carry_there();
        assert_eq!((pair.server.read(pair.now, &mut read), read), (Ok(8), data), "record {number}");
    }
    // And back, under keys that have not changed.
    pair.server.write(pair.now, b"still here").unwrap();
    pair.exchange();
    assert_eq!(read_all(pair.now, &mut pair.client).0, b"still here");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any cutting on the wire, any sizes of writes and reads, any memory: the same bytes.
    #[test]
    fn cutting_changes_nothing(
        sizes in proptest::collection::vec((1..30_000_usize, 1..40_000_usize, 1..20_000_usize), 1..20),
        spare in 0..40_000_usize,
        outbound in OUTBOUND_MIN..40_000_usize,
    ) {
        let now = Instant::ZERO;
        let (ours, theirs) = (config(1), config(2));
        let mut client = SecureTcp::connect(
            now, memory(INBOUND_MIN + spare, outbound), &ours, theirs.keypair.public(), &mut rng(3)).unwrap();
        let mut server = SecureTcp::accept(now, memory(INBOUND_MIN + spare, outbound), &theirs);
        carry(now, &mut client, &mut server);
        server.answer(&theirs, &allow(ours.keypair.public()), &mut rng(4)).unwrap();
        carry(now, &mut server, &mut client);

        let data = pattern(sizes.iter().map(|(write, ..)| write).sum());
        let (mut written, mut read) = (0, Vec::new());
        for (write, cut, take) in sizes.iter().cycle() {
            let end = data.len().min(written + write);
            if written < end {
                written += client.write(now, &data[written..end]).unwrap_or(0);
            }
            let cut = client.transmit()[..].len().min(*cut);
            let bytes = client.transmit()[..cut].to_vec();
            let count = feed(now, &mut server, &bytes);
            client.sent(now, count);
            let mut part = vec![0; *take];
            let count = server.read(now, &mut part).unwrap_or(0);
            read.extend_from_slice(&part[..count]);
            if read.len() == data.len() {
                break;
            }
        }
        prop_assert!(read == data);
    }

    #[test]
    fn no_bytes_make_it_panic_or_speak(bytes in proptest::collection::vec(any::<u8>(), 0..40_000), cut in 1..5_000_usize) {
        let (mut fresh, mut used) = (Pair::new(), Pair::established());
        for part in bytes.chunks(cut) {
            for host in [&mut fresh.client, &mut fresh.server, &mut used.client, &mut used.server] {
                feed(Instant::ZERO, host, part);
                let (read, _) = read_all(Instant::ZERO, host);
                prop_assert!(read.is_empty());
            }
            let _ = fresh.answer();
        }
        drain(Instant::ZERO, &mut fresh.client);
        for host in [&mut fresh.client, &mut fresh.server, &mut used.client, &mut used.server] {
            prop_assert!(drain(Instant::ZERO, host).is_empty());
        }
    }
}
