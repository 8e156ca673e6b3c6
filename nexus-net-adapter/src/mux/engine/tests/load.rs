//! Many streams, one after the other and at once.

use super::*;
use crate::mux::frame::{self, Frame, HEADER_LEN};

/// Sixteen streams of 64 KiB.
type Wide = Engine<Vec<u8>, 16, 65536, 16384>;

fn wide(side: Side) -> Wide {
    Engine::new(side, peer(), vec![0; 16 * 65536])
}

/// Writes to `streams` until none of them has room.
fn saturate(engine: &mut Wide, streams: &[StreamId]) {
    for stream in streams {
        while engine.write(*stream, &[1; 4096]).is_ok() {}
    }
}

#[test]
fn streams_by_the_thousand_one_after_the_other() {
    let (mut alice, mut bob) = (engine(Side::Initiator), engine(Side::Responder));
    for at in 0..1999u32 {
        let payload: Vec<u8> = (0..32).map(|byte| at.wrapping_mul(31 + byte).to_le_bytes()[0]).collect();
        let stream = alice.open(PriorityClass::HIGHEST, name("in turn")).unwrap();
        assert_eq!(stream.get(), 2 * at + 1);
        alice.write(stream, &payload).unwrap();
        alice.close(stream).unwrap();
        settle(&mut alice, &mut bob);
        let mut buffer = [0; 64];
        assert_eq!(bob.read(stream, &mut buffer), Ok(32));
        assert_eq!(&buffer[..32], payload);
        assert_eq!(bob.read(stream, &mut buffer), Ok(0));
        bob.close(stream).unwrap();
        settle(&mut alice, &mut bob);
        assert_eq!(alice.read(stream, &mut buffer), Ok(0));
        assert_eq!((alice.streams(), bob.streams()), (0, 0));
    }
}

/// What a link of 16 KiB a round carries when 16 bulk streams of one class share it, and bob does not read the
/// first `stalled`: bytes read of each, and the most that each side had buffered.
fn bulk(stalled: usize, rounds: usize) -> (Vec<usize>, [usize; 2]) {
    let (mut alice, mut bob) = (wide(Side::Initiator), wide(Side::Responder));
    let streams: Vec<_> =
        (0..16).map(|at| alice.open(PriorityClass::LOWEST, name(&std::format!("{at}"))).unwrap()).collect();
    settle(&mut alice, &mut bob);
    let (mut read, mut peaks) = (vec![0; 16], [0; 2]);
    let mut wire = vec![0; 16 * 1024];
    for _ in 0..rounds {
        saturate(&mut alice, &streams);
        let buffered = |engine: &Wide| streams.iter().filter_map(|stream| engine.buffered(*stream)).sum();
        peaks[0] = peaks[0].max(buffered(&alice));
        let len = alice.transmit(&mut wire, 4096 - HEADER_LEN);
        bob.receive(&wire[..len]).unwrap();
        peaks[1] = peaks[1].max(buffered(&bob));
        for (stream, read) in streams.iter().zip(&mut read).skip(stalled) {
            while let Ok(len @ 1..) = bob.read(*stream, &mut [0; 4096]) {
                *read += len;
            }
        }
        deliver(&mut bob, &mut alice);
    }
    (read, peaks)
}

#[test]
fn one_stalled_stream_of_16_leaves_the_others_their_rate() {
    const ROUNDS: usize = 3000;
    let (free, _) = bulk(0, ROUNDS);
    let fair = free.iter().sum::<usize>() / 16;
    let (least, most) = (free.iter().min().unwrap(), free.iter().max().unwrap());
    assert!(most - least <= 2 * 4096, "without a stall all have the same: {least} to {most}");

    let (read, [writer, reader]) = bulk(1, ROUNDS);
    assert_eq!(read[0], 0);
    for (at, read) in read.iter().enumerate().skip(1) {
        assert!(read * 10 >= fair * 9, "stream {at} has {read}, its fair share is {fair}");
    }
    // The writer's share of the memory, full; at the reader the initial credit of the stalled stream, and one batch.
    assert_eq!(writer, 16 * 65536 / 4);
    assert!((16384..=2 * 16384).contains(&reader), "{reader}");
}

#[test]
fn a_request_of_class_0_overtakes_all_that_waits_here() {
    let (mut alice, mut bob) = (wide(Side::Initiator), wide(Side::Responder));
    let mut open =
        |class, called: &str| alice.open(PriorityClass::new(class).unwrap(), name(called)).unwrap();
    let bulk: Vec<_> = (1..8).map(|class| open(class, &std::format!("bulk {class}"))).collect();
    let urgent = open(0, "urgent");
    settle(&mut alice, &mut bob);
    saturate(&mut alice, &bulk);
    let mut wire = [0; 4096];
    assert!(alice.transmit(&mut wire, 1000) > 3000);
    alice.write(urgent, b"now").unwrap();
    let len = alice.transmit(&mut wire, 1000);
    let about = frame::About { stream: urgent, priority: PriorityClass::HIGHEST };
    assert_eq!(frame::decode(&wire[..len]), Ok(Some((Frame::Data { about, len: 3 }, HEADER_LEN))));
}

/// The shares of the contract, in frames that leave an engine.
#[test]
fn saturated_classes_share_the_link_by_the_contract() {
    let (mut alice, mut bob) = (wide(Side::Initiator), wide(Side::Responder));
    let streams: Vec<_> = PriorityClass::all()
        .map(|class| alice.open(class, name(&std::format!("class {}", class.get()))).unwrap())
        .collect();
    settle(&mut alice, &mut bob);
    let mut frames = [0; 8];
    for _ in 0..63 * 40 {
        saturate(&mut alice, &streams);
        let mut wire = [0; 512];
        assert_eq!(alice.transmit(&mut wire, 500), 512, "one frame");
        frames[usize::from(wire[2])] += 1;
        bob.receive_with(&wire, |_, bytes| bytes.len()).unwrap();
        deliver(&mut bob, &mut alice);
    }
    assert_eq!(frames, [56 * 40, 40, 40, 40, 40, 40, 40, 40]);
}
