//! Single rules.

use super::*;
use crate::mux::frame::{self, Frame};

#[test]
fn a_stream_is_opened_accepted_read_and_ended() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::LOWEST, name("files")).unwrap();
    assert_eq!(alice.credit(stream), Some(WindowCredit::NONE), "nothing was granted yet");
    assert_eq!(alice.write(stream, b"request"), Ok(7));
    alice.close(stream).unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(events(&mut alice), [Event::Accepted(stream)]);
    let opened = Event::Opened { stream, priority: PriorityClass::LOWEST, name: name("files") };
    assert_eq!(events(&mut bob), [opened, Event::Readable(stream)]);
    assert_eq!(alice.state(stream), Some(StreamState::HalfClosedLocal));
    assert_eq!(bob.state(stream), Some(StreamState::HalfClosedRemote));

    assert_eq!(bob.peek(stream), Ok((&b"request"[..], &[][..])));
    bob.consume(stream, 3);
    let mut buffer = [0; 9];
    assert_eq!(bob.read(stream, &mut buffer), Ok(4));
    assert_eq!(&buffer[..4], b"uest");
    assert_eq!((bob.read(stream, &mut buffer), bob.read(stream, &mut buffer)), (Ok(0), Ok(0)));
    assert_eq!(bob.write(stream, b"answer"), Ok(6));
    bob.close(stream).unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(alice.state(stream), Some(StreamState::Closed));
    assert_eq!((alice.streams(), bob.streams()), (1, 0), "alice has not read the end");
    assert_eq!(alice.read(stream, &mut buffer), Ok(6));
    assert_eq!(alice.read(stream, &mut buffer), Ok(0));
    assert_eq!(alice.streams(), 0);
}

#[test]
fn back_pressure_is_a_value_and_says_what_holds_it_up() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    let chunk = [1; 8192];
    assert_eq!(alice.write(stream, &chunk), Ok(1024), "a quarter of the memory");
    assert_eq!(alice.write(stream, &chunk), Err(MuxError::WouldBlock { credit: WindowCredit::NONE }));
    settle(&mut alice, &mut bob);
    // Bob granted 1024 at first, and all of it was used.
    assert_eq!(events(&mut alice), [Event::Accepted(stream), Event::Writable(stream)]);
    assert_eq!(alice.write(stream, &chunk), Ok(1024));
    assert_eq!(alice.write(stream, &chunk), Err(MuxError::WouldBlock { credit: WindowCredit::NONE }));
    assert!(!alice.has_output(), "without credit nothing leaves");
    assert_eq!((alice.buffered(stream), bob.buffered(stream)), (Some(1024), Some(1024)));

    bob.read(stream, &mut [0; 1]).unwrap();
    settle(&mut alice, &mut bob);
    // The window is 3072 bytes wide now, and 2047 of them are in use.
    assert_eq!(alice.credit(stream), Some(WindowCredit::new(3072 - 2047)));
    assert_eq!(events(&mut alice), [Event::Writable(stream)]);
    // In the other direction nothing has come, and alice granted 1024.
    let nothing = Err(MuxError::WouldBlock { credit: WindowCredit::new(1024) });
    assert_eq!(alice.read(stream, &mut [0; 9]), nothing);
}

#[test]
fn a_readable_stream_is_told_once_and_again_when_more_comes() {
    let mut bob = engine(Side::Responder);
    let stream = StreamId::new(1).unwrap();
    bob.receive(&wire(&open(1, "n"), &[])).unwrap();
    for _ in 0..5 {
        bob.receive(&data(1, 10)).unwrap();
    }
    assert_eq!(events(&mut bob).len(), 2, "opened, and readable");
    bob.receive(&data(1, 10)).unwrap();
    assert_eq!(events(&mut bob), [Event::Readable(stream)]);
    bob.receive(&data(1, 10)).unwrap();
    bob.consume(stream, usize::MAX);
    assert_eq!(events(&mut bob), [], "it has been read already");
}

#[test]
fn data_is_readable_in_place_where_a_frame_lies_whole_in_the_buffer() {
    let mut bob = engine(Side::Responder);
    let stream = StreamId::new(1).unwrap();
    let frames = [wire(&open(1, "n"), &[]), data(1, 100), data(1, 50), data(1, 30)].concat();
    let mut shown = Vec::new();
    let taken = bob.receive_with(&frames, |stream, bytes| {
        assert!(frames.as_ptr_range().contains(&bytes.as_ptr()), "not a copy");
        shown.push((stream.get(), bytes.len()));
        if bytes.len() == 50 { 20 } else { usize::MAX }
    });
    assert_eq!(taken, Ok(()));
    // The second was taken in part: the rest of it has to wait, and so has all behind it, to stay in order.
    assert_eq!(shown, [(1, 100), (1, 50)]);
    assert_eq!(bob.buffered(stream), Some(60));
    // What is taken in place counts as read: the window is open to its full width.
    let outstanding = bob.table.get(0).unwrap().receive_credit.outstanding().get();
    assert!(outstanding > 1024, "{outstanding}");

    bob.consume(stream, usize::MAX);
    let cut = data(1, 40);
    for piece in [&cut[..50], &cut[50..]] {
        bob.receive_with(piece, |_, _| panic!("the frame does not lie whole in one buffer")).unwrap();
    }
    assert_eq!(bob.buffered(stream), Some(40));
}

#[test]
fn what_is_left_of_a_frame_goes_nowhere_when_its_stream_is_reset_meanwhile() {
    let mut bob = engine(Side::Responder);
    let stream = StreamId::new(1).unwrap();
    let frames = [wire(&open(1, "n"), &[]), data(1, 100)].concat();
    let (begun, rest) = frames.split_at(frames.len() - 60);
    bob.receive(begun).unwrap();
    assert_eq!(bob.buffered(stream), Some(40));
    bob.reset(stream, ResetCode::CANCELLED).unwrap();
    bob.receive(&rest[..20]).unwrap();
    assert_eq!((bob.buffered(stream), events(&mut bob)), (Some(0), vec![]));
    // Its place, and every other, is taken by new streams: theirs it is not, either.
    bob.transmit(&mut [0; 512], 512);
    let others = ["a", "b", "c", "d"].map(|called| bob.open(PriorityClass::LOWEST, name(called)).unwrap());
    bob.receive(&rest[20..]).unwrap();
    assert_eq!(others.map(|other| bob.buffered(other)), [Some(0); 4]);
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let frames = [
        wire(&open(1, "a rather long name, so that its head comes in many pieces"), &[]),
        data(1, 300),
        wire(&Frame::Ping(about(77)), &[]),
        data(1, 1),
        wire(&Frame::Close(about(1)), &[]),
    ];
    let bytes = frames.concat();
    for size in 1..bytes.len() {
        let mut bob = engine(Side::Responder);
        bytes.chunks(size).for_each(|chunk| bob.receive(chunk).unwrap());
        assert_eq!(bob.buffered(StreamId::new(1).unwrap()), Some(301), "pieces of {size}");
        assert_eq!(bob.state(StreamId::new(1).unwrap()), Some(StreamState::HalfClosedRemote));
        assert_eq!(bob.end_of_input(), End::Finished);
    }
    let ends: Vec<usize> = (0..=frames.len()).map(|count| frames[..count].concat().len()).collect();
    for cut in 0..bytes.len() {
        let mut bob = engine(Side::Responder);
        bob.receive(&bytes[..cut]).unwrap();
        let expected = if ends.contains(&cut) { End::Finished } else { End::Truncated };
        assert_eq!(bob.end_of_input(), expected, "cut at {cut}");
    }
}

#[test]
fn a_reset_ends_both_directions_and_what_crosses_it_is_no_violation() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    alice.write(stream, &[1; 100]).unwrap();
    settle(&mut alice, &mut bob);
    events(&mut bob);
    // Under way towards bob: data and an end. He resets the stream before they come.
    alice.write(stream, &[2; 100]).unwrap();
    alice.close(stream).unwrap();
    bob.reset(stream, ResetCode(42)).unwrap();
    assert_eq!(bob.buffered(stream), Some(0), "what nobody will read is dropped");
    settle(&mut alice, &mut bob);
    assert_eq!(bob.streams(), 0);
    assert_eq!(bob.write(stream, b"x"), Err(MuxError::Reset(ResetCode(42))));
    assert_eq!((alice.state(stream), alice.streams()), (Some(StreamState::Reset), 1));
    assert_eq!(events(&mut alice), [Event::Accepted(stream), Event::Reset(stream, ResetCode(42))]);
    assert_eq!(alice.streams(), 0, "the application knows");
    assert_eq!(alice.read(stream, &mut [0; 9]), Err(MuxError::Reset(ResetCode(42))));
}

#[test]
fn of_a_stream_that_the_peer_has_reset_only_that_is_told() {
    let mut bob = engine(Side::Responder);
    let stream = StreamId::new(1).unwrap();
    let rst = Frame::Rst { about: about(1), code: ResetCode(9) };
    bob.receive(&[wire(&open(1, "n"), &[]), data(1, 10), wire(&rst, &[])].concat()).unwrap();
    let opened = Event::Opened { stream, priority: PriorityClass::HIGHEST, name: name("n") };
    assert_eq!(events(&mut bob), [opened, Event::Reset(stream, ResetCode(9))]);
    assert_eq!(bob.buffered(stream), Some(0));
    assert!(!bob.has_output(), "there is nothing to answer any more");
    assert_eq!(bob.streams(), 0);
}

#[test]
fn frames_for_a_stream_that_is_forgotten_are_no_violation() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    settle(&mut alice, &mut bob);
    bob.reset(stream, ResetCode::CANCELLED).unwrap();
    settle(&mut alice, &mut bob);
    events(&mut alice);
    for at in 0..4 {
        alice.open(PriorityClass::HIGHEST, name(&std::format!("{at}"))).unwrap();
    }
    settle(&mut alice, &mut bob);
    assert_eq!((bob.state(stream), bob.streams()), (None, 4));
    let late = [data(1, 30), wire(&Frame::Close(about(1)), &[]), wire(&Frame::Ping(about(1)), &[])];
    bob.receive(&late.concat()).unwrap();
    assert!(bob.has_output(), "the frame behind the data was understood");
}

#[test]
fn a_stream_that_the_peer_never_heard_of_is_reset_without_a_word() {
    let mut alice = engine(Side::Initiator);
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    alice.write(stream, b"never mind").unwrap();
    alice.reset(stream, ResetCode::CANCELLED).unwrap();
    assert!(!alice.has_output());
    assert_eq!((alice.transmit(&mut [0; 512], 512), alice.streams()), (0, 0));
}

#[test]
fn a_reset_that_crosses_the_end_loses_nothing_that_is_complete() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    alice.write(stream, b"all of it").unwrap();
    alice.close(stream).unwrap();
    settle(&mut alice, &mut bob);
    bob.close(stream).unwrap();
    deliver(&mut bob, &mut alice);
    // Bob is done, and a reset that alice sent before she knew comes late.
    bob.receive(&wire(&Frame::Rst { about: about(1), code: ResetCode(1) }, &[])).unwrap();
    assert_eq!(bob.read(stream, &mut [0; 32]), Ok(9));
    assert_eq!(bob.read(stream, &mut [0; 32]), Ok(0));
}

#[test]
fn streams_that_there_is_no_room_for_are_refused_one_by_one() {
    let mut alice = Engine::<_, 16, 4096, 1024>::new(Side::Initiator, peer(), vec![0; 16 * 4096]);
    let mut bob = engine(Side::Responder);
    for at in 0..16 {
        let stream = alice.open(PriorityClass::HIGHEST, name(&std::format!("{at}"))).unwrap();
        assert_eq!(alice.write(stream, b"hello"), Ok(5));
    }
    settle(&mut alice, &mut bob);
    assert_eq!(bob.streams(), 4);
    let told = events(&mut alice);
    let refused = told.iter().filter(|event| matches!(event, Event::Reset(_, ResetCode::NO_ROOM)));
    assert_eq!(refused.count(), 12);
    assert_eq!(alice.streams(), 4);
}

#[test]
fn ids_go_up_on_the_wire_whatever_places_they_have() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    for round in 0..50 {
        let [first, second, third] =
            ["a", "b", "c"].map(|called| alice.open(PriorityClass::HIGHEST, name(called)).unwrap());
        // Places that are given back before anything was said, and taken again at once.
        alice.reset(second, ResetCode::CANCELLED).unwrap();
        alice.reset(first, ResetCode::CANCELLED).unwrap();
        let later: Vec<_> = ["d", "e", "f"]
            .into_iter()
            .filter_map(|called| alice.open(PriorityClass::HIGHEST, name(called)).ok())
            .collect();
        assert!(!later.is_empty(), "round {round}");
        settle(&mut alice, &mut bob);
        assert_eq!(bob.streams(), 1 + later.len());
        for stream in later.into_iter().chain([third]) {
            alice.reset(stream, ResetCode::CANCELLED).unwrap();
        }
        settle(&mut alice, &mut bob);
        events(&mut bob);
        assert_eq!((alice.streams(), bob.streams()), (0, 0), "round {round}");
    }
}

#[test]
fn a_name_is_free_again_when_its_stream_is_over_on_the_wire() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    for _ in 0..10 {
        // At the same time: two streams.
        let streams =
            [&mut alice, &mut bob].map(|side| side.open(PriorityClass::LOWEST, name("again")).unwrap());
        settle(&mut alice, &mut bob);
        for stream in streams {
            alice.close(stream).unwrap();
            bob.close(stream).unwrap();
        }
        settle(&mut alice, &mut bob);
        // Neither application has read the end, which is no matter of the wire.
        assert_eq!((alice.streams(), bob.streams()), (2, 2));
        let next = alice.open(PriorityClass::LOWEST, name("again")).unwrap();
        alice.reset(next, ResetCode::CANCELLED).unwrap();
        settle(&mut alice, &mut bob);
        for stream in streams {
            assert_eq!((alice.read(stream, &mut [0; 9]), bob.read(stream, &mut [0; 9])), (Ok(0), Ok(0)));
        }
        assert_eq!((alice.streams(), bob.streams()), (0, 0));
    }
}

#[test]
fn a_ping_is_answered_in_kind_and_silence_ends_the_session() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    settle(&mut alice, &mut bob);
    for _ in 0..100 {
        assert_eq!((alice.tick(), bob.tick()), (Ok(()), Ok(())));
        settle(&mut alice, &mut bob);
    }
    let question = frame::About { stream: StreamId::new(999).unwrap(), priority: PriorityClass::LOWEST };
    bob.receive(&wire(&Frame::Ping(question), &[])).unwrap();
    let mut out = [0; 64];
    let len = bob.transmit(&mut out, 64);
    assert_eq!(out[..len], wire(&Frame::Pong(question), &[]));

    events(&mut alice);
    alice.receive(&out[..len]).unwrap();
    for tick in 1..9 {
        assert_eq!(alice.tick(), Ok(()), "tick {tick}");
        let len = alice.transmit(&mut out, 64);
        assert_eq!(len, if tick % 3 == 0 { 12 } else { 0 }, "tick {tick}");
    }
    assert_eq!(alice.tick(), Err(End::Silent));
    assert_eq!(events(&mut alice), [Event::Reset(stream, ResetCode::SESSION_ENDED)]);
    assert_eq!(alice.state(stream), Some(StreamState::Reset));
    assert_eq!(alice.write(stream, b"x"), Err(MuxError::Ended(End::Silent)));
}

#[test]
fn what_has_come_can_be_read_after_the_end_of_the_session() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let [whole, cut] =
        ["whole", "cut"].map(|called| alice.open(PriorityClass::HIGHEST, name(called)).unwrap());
    for stream in [whole, cut] {
        alice.write(stream, b"bytes").unwrap();
    }
    alice.close(whole).unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(bob.end_of_input(), End::Finished);
    assert_eq!(bob.end(End::Silent), End::Finished, "the first reason stays");
    let mut buffer = [0; 9];
    assert_eq!((bob.read(whole, &mut buffer), bob.read(cut, &mut buffer)), (Ok(5), Ok(5)));
    assert_eq!(bob.read(whole, &mut buffer), Ok(0), "complete");
    let ended = Err(MuxError::Ended(End::Finished));
    assert_eq!(bob.read(cut, &mut buffer), ended, "not complete, and says so");
    assert!(!bob.has_output());
}

#[test]
fn a_frame_is_never_larger_than_asked_for_and_never_cut_by_the_end_of_a_batch() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let stream = alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    alice.write(stream, &[7; 1024]).unwrap();
    settle(&mut alice, &mut bob);
    bob.consume(stream, usize::MAX);
    settle(&mut alice, &mut bob);
    alice.write(stream, &[7; 1000]).unwrap();
    let mut out = [0; 712];
    assert_eq!(alice.transmit(&mut out, 300), 2 * 312, "no third frame of 76 to fill the rest");
    assert_eq!(alice.transmit(&mut out[..112], 300), 112, "the first is made to fit");
    assert_eq!(alice.transmit(&mut out[..12], 300), 0, "a header alone is nothing");
    assert_eq!(alice.transmit(&mut out, 0), 54 * 13, "one byte is the least");
}

#[test]
fn a_close_that_does_not_fit_behind_the_data_waits_for_a_turn_of_its_own() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let [first, second] = ["a", "b"].map(|called| alice.open(PriorityClass::HIGHEST, name(called)).unwrap());
    settle(&mut alice, &mut bob);
    for stream in [first, second] {
        alice.write(stream, &[1; 100]).unwrap();
        alice.close(stream).unwrap();
    }
    let mut frames = Vec::new();
    while alice.has_output() {
        let mut out = [0; 112];
        let len = alice.transmit(&mut out, 100);
        let frame = frame::decode(&out[..len]).unwrap().unwrap().0;
        frames.push((frame.about().stream, matches!(frame, Frame::Close(_))));
    }
    let [(one, false), (other, false), (_, true)] = frames[..] else { panic!("{frames:?}") };
    assert_ne!(one, other, "whose data went has had its turn");
}

#[test]
fn no_stream_keeps_the_others_from_being_told() {
    let mut bob = engine(Side::Responder);
    let streams = [1, 3].map(|id| StreamId::new(id).unwrap());
    for id in [1, 3] {
        bob.receive(&[wire(&open(id, &std::format!("{id}")), &[]), data(id, 1)].concat()).unwrap();
    }
    let mut told = Vec::new();
    for _ in 0..6 {
        // Both always have something new.
        bob.receive(&[data(1, 1), data(3, 1)].concat()).unwrap();
        told.extend(bob.poll_event());
    }
    let of = |id| {
        told.iter().filter(|event| matches!(event, Event::Opened { stream, .. } | Event::Readable(stream) if *stream == id)).count()
    };
    assert_eq!(streams.map(of), [3, 3], "{told:?}");
}

/// An engine of another make may send before it has our answer, as far as the initial credit goes.
#[test]
fn an_opener_need_not_wait_for_the_answer() {
    let mut bob = engine(Side::Responder);
    let early = [wire(&open(1, "n"), &[]), data(1, 1024), wire(&Frame::Close(about(1)), &[])];
    bob.receive(&early.concat()).unwrap();
    assert_eq!(bob.read(StreamId::new(1).unwrap(), &mut [0; 2048]), Ok(1024));
}

/// An engine of another make may let its application choose ids: any, in any order, from either side.
#[test]
fn a_peer_takes_what_ids_it_likes() {
    let mut bob = engine(Side::Responder);
    for (id, called) in [(30, "a"), (7, "b"), (2, "c")] {
        bob.receive(&[wire(&open(id, called), &[]), data(id, 5)].concat()).unwrap();
        assert_eq!(bob.read(StreamId::new(id).unwrap(), &mut [0; 9]), Ok(5));
    }
    let own = bob.open(PriorityClass::HIGHEST, name("own")).unwrap();
    assert_eq!(own.get(), 32, "above what the peer has taken");
    bob.reset(StreamId::new(7).unwrap(), ResetCode::CANCELLED).unwrap();
    bob.transmit(&mut [0; 512], 512);
    // Three streams are open; two more come, of which there is room for one. What is said of 7 now was under way.
    for (id, called) in [(5, "d"), (3, "e")] {
        bob.receive(&wire(&open(id, called), &[])).unwrap();
    }
    assert_eq!((bob.streams(), bob.state(StreamId::new(7).unwrap())), (4, None));
    bob.receive(&[data(7, 5), data(3, 5)].concat()).unwrap();
    assert_eq!(bob.receive(&data(9, 1)), Err(End::Rejected(MuxReject::UnknownStreamFrame)));
}

#[test]
fn a_name_belongs_to_both_sides_unless_both_take_it_at_the_same_time() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    let duplicate = MuxReject::DuplicateStreamName;
    let crossing =
        [&mut alice, &mut bob].map(|side| side.open(PriorityClass::HIGHEST, name("both")).unwrap());
    settle(&mut alice, &mut bob);
    for side in [&mut alice, &mut bob] {
        assert_eq!(crossing.map(|stream| side.state(stream)), [Some(StreamState::Open); 2]);
        assert_eq!(side.open(PriorityClass::HIGHEST, name("both")), Err(MuxError::Reject(duplicate)));
    }
    alice.open(PriorityClass::HIGHEST, name("alice's")).unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(bob.open(PriorityClass::HIGHEST, name("alice's")), Err(MuxError::Reject(duplicate)));
    // Who has answered, knows.
    let frame = wire(&open(20, "alice's"), &[]);
    assert_eq!(alice.receive(&frame), Err(End::Rejected(duplicate)));
}

#[test]
fn an_id_that_both_sides_take_at_the_same_time_ends_the_session() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    alice.open(PriorityClass::HIGHEST, name("n")).unwrap();
    let collision = Err(End::Rejected(MuxReject::InvalidStreamStateTransition));
    assert_eq!(alice.receive(&wire(&open(1, "m"), &[])), collision);
    // Two of ours never do that, whichever comes first.
    bob.open(PriorityClass::HIGHEST, name("n")).unwrap();
    assert_eq!(bob.receive(&wire(&open(1, "m"), &[])), Ok(()));
}
