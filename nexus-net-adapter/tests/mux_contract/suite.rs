//! The tests. Each is given the two ends of a new session, the initiator's first, and knows nothing else of them.

use nexus_net_adapter::mux::frame::{About, Frame, HEAD_MAX};
use nexus_net_adapter::mux::{
    End, Event, MuxError, MuxReject, PriorityClass, Pump, ResetCode, Side, StreamId, StreamName, StreamState,
    WindowCredit,
};
use nexus_net_adapter::stream::{Interest, PeerIdentity, ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

use crate::session::{BYTES, Ends, Peer, pattern, settle, until};
use crate::tap::Tap;

/// Turns of a millisecond or two in which a session that is over ends on both sides: the idle timeout, and more.
const ENDS_MAX: usize = 100_000;

pub(crate) fn streams_by_the_thousand_arrive_whole_one_after_the_other<
    A: ReliableStream,
    B: ReliableStream,
>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    for at in 0..1999 {
        let payload = pattern(at, 32);
        let stream = near.open(3, "in turn");
        near.write(stream, &mut &payload[..]);
        near.engine.close(stream).unwrap();
        let (mut there, mut back) = (Vec::new(), Vec::new());
        until(&mut near, &mut far, |near, far| {
            if far.engine.state(stream) == Some(StreamState::HalfClosedRemote) && far.read(stream, &mut there)
            {
                far.write(stream, &mut &there[..]);
                far.engine.close(stream).unwrap();
            }
            near.read(stream, &mut back)
        });
        assert_eq!((&there, &back), (&payload, &payload), "stream {at}");
        assert_eq!((near.engine.streams(), far.engine.streams()), (0, 0), "stream {at}");
    }
}

pub(crate) fn large_streams_in_parallel_arrive_whole_in_both_directions<
    A: ReliableStream,
    B: ReliableStream,
>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    let sizes = [2, 3, 5].map(|mebibytes| mebibytes << 20);
    let payloads: Vec<_> = (0..).zip(sizes).map(|(seed, len)| pattern(seed, len)).collect();
    let back = pattern(77, 1 << 20);
    let streams: Vec<_> = (0..3).map(|at| near.open(at, &format!("large {at}"))).collect();
    let mut left: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let mut left_back = [&back[..]; 3];
    let (mut there, mut returned) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
    until(&mut near, &mut far, |near, far| {
        let mut ends = 0;
        for (at, stream) in streams.iter().copied().enumerate() {
            send(near, stream, &mut left[at]);
            if far.engine.state(stream).is_some() {
                send(far, stream, &mut left_back[at]);
            }
            ends +=
                u8::from(far.read(stream, &mut there[at])) + u8::from(near.read(stream, &mut returned[at]));
            assert!(near.engine.buffered(stream).is_none_or(|bytes| bytes <= BYTES));
            assert!(far.engine.buffered(stream).is_none_or(|bytes| bytes <= BYTES));
        }
        ends == 6
    });
    assert!(there == payloads, "bytes were changed on the way");
    assert!(returned.iter().all(|returned| *returned == back), "bytes were changed on the way back");
}

/// Writes what there is room for, and closes behind the last byte.
fn send<S: ReliableStream>(peer: &mut Peer<S>, stream: StreamId, left: &mut &[u8]) {
    if peer.engine.state(stream).is_some_and(StreamState::may_send) {
        peer.write(stream, left);
        if left.is_empty() {
            peer.engine.close(stream).unwrap();
        }
    }
}

pub(crate) fn each_direction_of_a_stream_ends_by_itself<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    // Opened by the responder, too: the rules are the same.
    let stream = far.open(0, "question");
    far.write(stream, &mut &b"how much?"[..]);
    far.engine.close(stream).unwrap();
    let mut question = Vec::new();
    until(&mut near, &mut far, |near, _| near.read(stream, &mut question));
    assert_eq!(question, b"how much?");
    assert_eq!(near.engine.state(stream), Some(StreamState::HalfClosedRemote));
    assert_eq!(far.engine.state(stream), Some(StreamState::HalfClosedLocal));
    let refused = MuxError::Reject(MuxReject::InvalidStreamStateTransition);
    assert_eq!(far.engine.write(stream, b"more"), Err(refused));
    let (answer, mut got) = (pattern(1, 300_000), Vec::new());
    let mut left = &answer[..];
    until(&mut near, &mut far, |near, far| {
        send(near, stream, &mut left);
        far.read(stream, &mut got)
    });
    assert!(got == answer);
}

pub(crate) fn a_reader_that_stops_stops_its_writer_and_nobody_else<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    let stalled = near.open(0, "stalled");
    let payload = pattern(1, 1 << 20);
    let mut left = &payload[..];
    for _ in 0..3 {
        near.write(stalled, &mut left);
        settle(&mut near, &mut far);
    }
    // The credit it began with, and the writer's quarter of the memory.
    assert_eq!(payload.len() - left.len(), 64 * 1024 + BYTES / 4);
    let none_left = MuxError::WouldBlock { credit: WindowCredit::NONE };
    assert_eq!(near.engine.write(stalled, left), Err(none_left));

    let other = near.open(7, "other");
    let (mut left_other, mut got) = (&payload[..], Vec::new());
    until(&mut near, &mut far, |near, far| {
        send(near, other, &mut left_other);
        far.read(other, &mut got)
    });
    assert!(got == payload);
    // And it goes on where it stopped.
    let mut got = Vec::new();
    until(&mut near, &mut far, |near, far| {
        send(near, stalled, &mut left);
        far.read(stalled, &mut got)
    });
    assert!(got == payload);
}

/// What far reads of 16 streams of one class that near never stops writing to, in `total` bytes; of the first `stalled`
/// nothing is read.
fn saturate<A: ReliableStream, B: ReliableStream>(
    near: &mut Peer<A>,
    far: &mut Peer<B>,
    stalled: usize,
    total: usize,
) -> (Vec<StreamId>, [usize; 16]) {
    let streams: Vec<_> = (0..16).map(|at| near.open(5, &format!("{at}"))).collect();
    let block = pattern(1, 64 * 1024);
    let mut read = [0; 16];
    until(near, far, |near, far| {
        for stream in &streams {
            near.write(*stream, &mut &block[..]);
        }
        for (stream, read) in streams.iter().zip(&mut read).skip(stalled) {
            let mut got = Vec::new();
            far.read(*stream, &mut got);
            *read += got.len();
        }
        read.iter().sum::<usize>() >= total
    });
    (streams, read)
}

pub(crate) fn equal_streams_have_equal_shares<A: ReliableStream, B: ReliableStream>(ends: Ends<A, B>) {
    let (mut near, mut far) = ends.session();
    let (_, read) = saturate(&mut near, &mut far, 0, 24 << 20);
    let fair = read.iter().sum::<usize>() / 16;
    for (at, read) in read.iter().enumerate() {
        assert!(read * 10 >= fair * 9, "stream {at} had {read} bytes; its fair share is {fair}");
    }
}

pub(crate) fn one_stalled_stream_of_16_leaves_the_others_their_rate<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    let (streams, read) = saturate(&mut near, &mut far, 1, 15 << 20);
    assert_eq!(far.engine.buffered(streams[0]), Some(64 * 1024), "its initial credit, and not a byte more");
    let fair = read.iter().sum::<usize>() / 16;
    for (at, read) in read.iter().enumerate().skip(1) {
        assert!(read * 10 >= fair * 9, "stream {at} had {read} bytes; its fair share is {fair}");
    }
}

pub(crate) fn streams_that_nobody_reads_fill_their_memory_to_the_byte<
    A: ReliableStream,
    B: ReliableStream,
>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    let streams: Vec<_> = (0..3).map(|at| near.open(at, &format!("{at}"))).collect();
    let block = pattern(1, 64 * 1024);
    // One byte is read, which opens the window; and nothing more, on either side.
    let mut begun = [false; 3];
    let mut write_all = |near: &mut Peer<A>, far: &mut Peer<B>| {
        for (stream, begun) in streams.iter().zip(&mut begun) {
            near.write(*stream, &mut &block[..]);
            *begun = *begun || far.engine.read(*stream, &mut [0]) == Ok(1);
            if *begun {
                far.write(*stream, &mut &block[..]);
            }
        }
        streams.iter().all(|stream| far.engine.buffered(*stream) == Some(BYTES))
    };
    until(&mut near, &mut far, &mut write_all);
    settle(&mut near, &mut far);
    assert!(write_all(&mut near, &mut far), "and not a byte more");
}

pub(crate) fn class_0_and_one_lower_class_share_8_to_1<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let frames = shares(ends, &[0, 7], 9 * 100);
    let total: usize = frames.iter().sum();
    assert!((frames[7] * 9).abs_diff(total) <= 9, "{frames:?}");
}

pub(crate) fn with_all_classes_saturated_each_lower_one_has_1_frame_of_63<
    A: ReliableStream,
    B: ReliableStream,
>(
    ends: Ends<A, B>,
) {
    let frames = shares(ends, &[0, 1, 2, 3, 4, 5, 6, 7], 63 * 20);
    let total: usize = frames.iter().sum();
    for lower in &frames[1..] {
        assert!((lower * 63).abs_diff(total) <= 63, "{frames:?}");
    }
}

/// How `count` DATA frames are shared by one stream of each of `classes`, on a link that is always the limit.
fn shares<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
    classes: &[u8],
    count: usize,
) -> [usize; 8] {
    /// Bytes that the link takes at a turn.
    const NARROW: usize = 16 * 1024;
    let Ends { near, far, patience } = ends;
    let (near, observed) = Tap::new(near);
    let (mut near, mut far) = Ends { near, far, patience }.session();
    let streams: Vec<_> = classes.iter().map(|class| near.open(*class, &format!("{class}"))).collect();
    let may_send = |near: &Peer<Tap<A>>| {
        let enough =
            |stream| near.engine.credit(stream).is_some_and(|credit| credit.get() as usize >= 2 * NARROW);
        streams.iter().all(|stream| enough(*stream))
    };
    until(&mut near, &mut far, |near, _| may_send(near));
    let block = pattern(1, 64 * 1024);
    let mut frames = [0; 8];
    until(&mut near, &mut far, |near, far| {
        for stream in &streams {
            near.write(*stream, &mut &block[..]);
            far.read(*stream, &mut Vec::new());
        }
        // A class that lacks credit would be none that waits.
        observed.allow(if may_send(near) { NARROW } else { 0 });
        frames.iter_mut().zip(observed.frames()).for_each(|(sum, seen)| *sum += seen);
        frames.iter().sum::<usize>() >= count
    });
    frames
}

pub(crate) fn a_refused_stream_is_told_and_harms_no_other<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session_with_places(2);
    let streams: Vec<_> = (0..128).map(|at| near.open(at % 8, &format!("{at}"))).collect();
    let one_more = near.engine.open(PriorityClass::HIGHEST, StreamName::new("one more").unwrap());
    assert_eq!(one_more, Err(MuxError::Reject(MuxReject::StreamLimitExceeded)));
    for stream in &streams {
        near.write(*stream, &mut &b"hello"[..]);
        near.engine.close(*stream).unwrap();
    }
    settle(&mut near, &mut far);
    let told = near.events();
    let refused = told.iter().filter(|event| matches!(event, Event::Reset(_, ResetCode::NO_ROOM)));
    assert_eq!(refused.count(), 126);
    for stream in &streams[..2] {
        let mut got = Vec::new();
        assert!(far.read(*stream, &mut got));
        assert_eq!(got, b"hello");
    }
}

pub(crate) fn a_session_ends_in_order_when_both_sides_finish<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let (mut near, mut far) = ends.session();
    let (whole, cut) = (near.open(0, "whole"), near.open(0, "cut"));
    near.write(whole, &mut &b"all"[..]);
    near.write(cut, &mut &b"some"[..]);
    near.engine.close(whole).unwrap();
    settle(&mut near, &mut far);
    far.engine.close(whole).unwrap();
    settle(&mut near, &mut far);
    near.pump.finish().unwrap();
    far.pump.finish().unwrap();
    assert_eq!(end_of(&mut far), End::Finished);
    assert_eq!(end_of(&mut near), End::Finished);
    assert_eq!(far.engine.state(whole), Some(StreamState::Closed));
    assert_eq!(
        far.engine.state(cut),
        Some(StreamState::Reset),
        "what was not complete is reset, not forgotten"
    );
    assert!(far.events().contains(&Event::Reset(cut, ResetCode::SESSION_ENDED)));
    let (mut got, mut buffer) = (Vec::new(), [0; 9]);
    assert!(far.read(whole, &mut got), "and what was complete can be read");
    assert_eq!(got, b"all");
    assert_eq!(far.engine.read(cut, &mut buffer), Ok(4));
    assert_eq!(far.engine.read(cut, &mut buffer), Err(MuxError::Ended(End::Finished)));
}

/// Why `peer`'s session ends, by itself.
fn end_of<S: ReliableStream>(peer: &mut Peer<S>) -> End {
    (0..ENDS_MAX).find_map(|_| peer.run().err()).expect("the session ends")
}

pub(crate) fn a_violation_costs_the_session_by_its_label<A: ReliableStream, B: ReliableStream>(
    ends: Ends<A, B>,
) {
    let Ends { near: mut a, far, patience } = ends;
    let mut far = Peer::begin(far, Side::Responder, 128, patience);
    let about = About { stream: StreamId::new(1).unwrap(), priority: PriorityClass::HIGHEST };
    let mut bytes = [0; HEAD_MAX + 4];
    let len = Frame::Data { about, len: 4 }.encode(&mut bytes).unwrap().unwrap();
    let mut left = &bytes[..len + 4];
    while !left.is_empty() {
        if let Ok(taken) = a.write(left, a.now() + Duration::from_millis(1)) {
            left = &left[taken..];
        }
    }
    let mut run = || {
        // The network below may need both sides to be at work.
        a.wait(Interest::Readable, a.now() + Duration::from_millis(1)).ok();
        far.run().err()
    };
    let end = (0..ENDS_MAX).find_map(|_| run()).expect("the session ends");
    assert_eq!(end, End::Rejected(MuxReject::UnknownStreamFrame));
    assert_eq!(MuxReject::UnknownStreamFrame.label(), "mux.reject.unknown_stream_frame");
    let mut read = || {
        far.run().ok();
        match a.read(&mut [0; 64], a.now() + Duration::from_millis(1)) {
            Err(StreamError::Closed(_)) => Some(()),
            Ok(0) => panic!("an orderly end, as if nothing had happened"),
            _ => None,
        }
    };
    (0..ENDS_MAX).find_map(|_| read()).expect("the peer loses its session");
}

pub(crate) fn a_lost_session_resets_its_streams<A: ReliableStream, B: ReliableStream>(ends: Ends<A, B>) {
    let (mut near, mut far) = ends.session();
    let stream = near.open(0, "cut");
    settle(&mut near, &mut far);
    near.events();
    far.pump.abort();
    let mut run = || {
        far.run().ok();
        near.run().err()
    };
    let end = (0..ENDS_MAX).find_map(|_| run()).expect("the session ends");
    assert!(matches!(end, End::Closed(_)), "{end:?}");
    assert_eq!(near.events(), [Event::Reset(stream, ResetCode::SESSION_ENDED)]);
    assert_eq!(near.engine.write(stream, b"x"), Err(MuxError::Ended(end)));
}

pub(crate) fn silence_ends_the_session<A: ReliableStream, B: ReliableStream>(ends: Ends<A, B>) {
    let (mut near, mut far) = ends.session();
    near.open(0, "quiet");
    for _ in 0..12 {
        near.engine.tick().expect("the peer answers");
        for _ in 0..near.patience / 5 {
            near.run().expect("the session goes on");
            far.run().expect("the session goes on");
        }
    }
    far.open(0, "the last that is heard");
    settle(&mut near, &mut far);
    for _ in 0..8 {
        near.engine.tick().expect("not yet");
    }
    assert_eq!(near.engine.tick(), Err(End::Silent));
    assert_eq!(near.run(), Err(End::Silent));
    let mut run = || {
        near.run().ok();
        far.run().err()
    };
    let end = (0..ENDS_MAX).find_map(|_| run()).expect("the peer's session ends, too");
    assert!(matches!(end, End::Closed(_)), "{end:?}");
}

/// A stream whose peer has proven nothing.
struct Unproven<S>(S);

impl<S: ReliableStream> ReliableStream for Unproven<S> {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        None
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        self.0.read(buf, deadline)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        self.0.write(data, deadline)
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.0.finish()
    }

    fn abort(&mut self) {
        self.0.abort();
    }

    fn unsent(&self) -> u64 {
        self.0.unsent()
    }

    fn set_low_water(&mut self, mark: u64) {
        self.0.set_low_water(mark);
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        self.0.wait(interest, deadline)
    }
}

pub(crate) fn test_reject_unauthenticated_session<A: ReliableStream, B: ReliableStream>(ends: Ends<A, B>) {
    let reject = Pump::<_, 512>::begin(Unproven(ends.near)).map(|_| ()).unwrap_err();
    assert_eq!(reject.label(), "mux.reject.unauthenticated_session");
    assert!(Pump::<_, 512>::begin(ends.far).is_ok(), "the same stream, proven");
}
