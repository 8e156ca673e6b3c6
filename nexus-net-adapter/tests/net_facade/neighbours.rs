//! What becomes of smoltcp's sockets when the other side is silent, and that a stack at rest stays at rest.

use chacha20::ChaCha20Rng;
use lossy_link::LinkConfig;
use nexus_net_adapter::backend::smoltcp::smoltcp::phy::Medium;
use nexus_net_adapter::net::{NetError, NetSocketAddrV4, NetStack, TcpListener, TcpStream, UdpSocket};
use rand_core::{Rng, SeedableRng};
use udp_sec::time::Duration;

use crate::smoltcp::{FAR, Joined, joined, link};
use crate::world::{ANY, World, bound, connected, listening, port, until};

/// An address of the link's network that nobody has.
const NOBODY: [u8; 4] = [192, 0, 2, 99];
/// TCP sockets of a stack, see `smoltcp::stack`.
const TCP_SOCKETS: usize = 12;

/// Steps until `span` has passed.
fn pass(world: &mut Joined, span: Duration) {
    let end = world.now() + span.as_micros();
    while world.now() < end {
        world.step();
    }
}

#[test]
fn a_stack_at_rest_wants_nothing() {
    let mut world = link();
    let (mut far, address) = bound(&mut world);
    let mut near = world.near.udp_bind(ANY).expect("a free port");
    let (_listener, _) = listening(&mut world, 2);
    near.send_to(b"hello", address).expect("room");
    assert_eq!(world.near.next_wake(), Some(world.now()), "what was handed over is to leave");
    until(&mut world, || far.recv_from(&mut [0; 9])).expect("a datagram");
    pass(&mut world, Duration::from_secs(5));
    assert_eq!((world.near.next_wake(), world.far.next_wake()), (None, None));
}

#[test]
fn an_absent_neighbour_holds_others_up_for_three_seconds() {
    let mut world = link();
    let (mut far, address) = bound(&mut world);
    let mut near = world.near.udp_bind(ANY).expect("a free port");
    near.send_to(b"nobody", port(NOBODY, 9)).expect("room");
    near.send_to(b"behind", address).expect("room");
    let begun = world.now();
    let mut buf = [0; 9];
    let mut asked = 0_u32;
    let came = until(&mut world, || {
        asked += 1;
        match far.recv_from(&mut buf) {
            Err(NetError::WouldBlock) if asked.is_multiple_of(10) => {
                // Somebody who asks again as long as there is no answer.
                near.send_to(b"again", address)
                    .map_or(Err(NetError::WouldBlock), |_| Err(NetError::WouldBlock))
            }
            outcome => outcome,
        }
    });
    assert_eq!(came.map(|(count, _)| count), Ok(5), "those behind the first are dropped with it");
    let waited = world.now() - begun;
    assert!((2_900_000..4_200_000).contains(&waited), "{waited} microseconds");
}

#[test]
fn a_call_to_nobody_ends_at_its_deadline() {
    let mut world = link();
    world.step();
    let deadline = world.now() + 2_000_000;
    let mut stream = world.near.tcp_connect(port(NOBODY, 9), Some(deadline)).expect("a way");
    let mut buf = [0; 1];
    while world.now() <= deadline {
        assert_eq!(stream.read(None, &mut buf), Err(NetError::WouldBlock), "at {}", world.now());
        world.step();
    }
    world.step();
    assert_eq!(stream.read(None, &mut buf), Err(NetError::NotConnected));
    assert_eq!(stream.write(None, &buf), Err(NetError::NotConnected));
}

#[test]
fn calls_to_nobody_do_not_use_the_sockets_up() {
    let mut world = link();
    for _ in 0..3 {
        let calls: Vec<_> = (0..TCP_SOCKETS)
            .map(|_| world.near.tcp_connect(port(NOBODY, 9), None).expect("a socket"))
            .collect();
        assert_eq!(world.near.tcp_connect(port(NOBODY, 9), None).err(), Some(NetError::NoBufs));
        pass(&mut world, Duration::from_millis(10));
        drop(calls);
        pass(&mut world, Duration::from_secs(5));
    }
    assert_eq!(world.near.next_wake(), None, "nothing is left of them");
}

#[test]
fn a_closed_connection_whose_peer_is_gone_is_given_up_after_a_minute() {
    let mut world = link();
    let (mut listener, _) = listening(&mut world, 1);
    for _ in 0..TCP_SOCKETS - 1 {
        let (near, far) = connected(&mut world, &mut listener);
        // The far end neither reads nor closes.
        std::mem::forget(far);
        let mut near = near;
        until(&mut world, || near.write(None, b"x")).expect("connected");
        near.close();
    }
    drop(world.near.tcp_connect(port(FAR, 1), None).expect("one is left"));
    assert!(world.near.tcp_connect(port(FAR, 1), None).is_err(), "for now");
    pass(&mut world, Duration::from_secs(70));
    let all: Vec<_> = (0..TCP_SOCKETS).map(|_| world.near.tcp_connect(port(FAR, 1), None)).collect();
    assert!(all.iter().all(Result::is_ok), "all are back");
}

#[test]
fn half_open_connections_leave_the_backlog_after_ten_seconds() {
    let mut world = joined(Medium::Ip, 1500, &LinkConfig::default(), 1);
    let (mut listener, address) = listening(&mut world, 1);
    let half = world.near.tcp_connect(address, None).expect("a way");
    // The caller's first segment leaves, and the caller is gone before the answer comes.
    world.near.poll(1);
    world.far.poll(1);
    world.far.poll(1_000_000);
    std::mem::forget(half);
    assert_eq!(listener.accept(None).err(), Some(NetError::WouldBlock));
    world.far.poll(12_000_000);
    world.far.poll(12_000_001);
    world.far.poll(16_000_000);
    // There is room for another, and it is that other who is accepted.
    let mut world = world.from(16_000_000);
    let (mut near, mut far) = connected(&mut world, &mut listener);
    until(&mut world, || near.write(None, b"another")).expect("connected");
    let mut buf = [0; 9];
    assert_eq!(until(&mut world, || far.read(None, &mut buf)), Ok(7));
}

/// What a hostile neighbour can do: frames of any length, ours with a few bytes changed, nonsense behind plausible headers.
#[test]
fn no_frame_does_harm() {
    let mut world = link();
    let (mut udp, address) = bound(&mut world);
    let mut near = world.near.udp_bind(ANY).expect("a free port");
    let (mut listener, called) = listening(&mut world, 3);
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut byte = move |below: usize| (rng.next_u32() as usize) % below;
    let plausible = [[8, 0, 0x45, 0], [0x86, 0xdd, 0x60, 0], [8, 6, 0, 1]];
    for round in 0..100_000 {
        if round % 100 == 0 {
            // Something to change, on its way.
            _ = near.send_to(&[7; 60], address);
            _ = world.near.tcp_connect(called, None);
        }
        let mut frame = match world.take_frame() {
            Some(frame) => frame,
            None => {
                let mut frame: Vec<u8> = (0..byte(1600)).map(|_| byte(256) as u8).collect();
                let header = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &plausible[byte(3)]].concat();
                frame.iter_mut().zip(header).for_each(|(to, from)| *to = from);
                frame
            }
        };
        for _ in 0..byte(4) {
            if let Some(len) = frame.len().checked_sub(1).filter(|len| *len > 0) {
                frame[byte(len)] = byte(256) as u8;
            }
        }
        frame.truncate(byte(frame.len() * 8 + 1));
        world.put_frame(frame);
        world.step();
        _ = udp.recv_from(&mut [0; 1500]);
        drop(listener.accept(None));
    }
    pass(&mut world, Duration::from_secs(70));
    let (mut near, mut far) = connected(&mut world, &mut listener);
    until(&mut world, || near.write(None, b"alive")).expect("connected");
    assert_eq!(until(&mut world, || far.read(None, &mut [0; 9])), Ok(5));
}

/// An address that the stack may not be called at.
#[test]
fn only_one_neighbour_can_be_called() {
    let mut world = link();
    for ip in [[255; 4], [224, 0, 0, 1]] {
        let outcome = world.near.tcp_connect(NetSocketAddrV4::new(ip, 9), None).err();
        assert!(matches!(outcome, Some(NetError::InvalidInput(_))), "{outcome:?}");
    }
}
