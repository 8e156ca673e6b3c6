//! What every stack promises: sockets, ports, bounds. What connections promise is in `connections`.

use nexus_net_adapter::net::{MAX_UDP_DATAGRAM_BYTES, NetError, NetStack, TcpListener, TcpStream, UdpSocket};

use crate::world::{ANY, Transfer, World, bound, connected, listening, pattern, port, until};

/// The longest datagram that fits the packets of every link here: an Ethernet's, less the headers of IPv4 and UDP.
const FITS: usize = 1472;

pub(crate) fn a_datagram_arrives_whole_with_its_sender(world: &mut impl World) {
    let (mut far, address) = bound(world);
    let mut near = world.near().udp_bind(ANY).expect("a free port");
    let mut buf = [0; MAX_UDP_DATAGRAM_BYTES];
    for len in [1, 1200, FITS] {
        let datagram = pattern(len);
        assert_eq!(near.send_to(&datagram, address), Ok(len));
        let (count, from) = until(world, || far.recv_from(&mut buf)).expect("a datagram");
        assert_eq!(buf[..count], datagram);
        assert_eq!(from.port, near.local_addr().port);
        assert_eq!(far.send_to(&buf[..count], from), Ok(len));
        let (count, from) = until(world, || near.recv_from(&mut buf)).expect("the echo");
        assert_eq!((&buf[..count], from), (&datagram[..], address));
    }
    assert_eq!(near.recv_from(&mut buf), Err(NetError::WouldBlock));
}

pub(crate) fn datagrams_are_bounded(world: &mut impl World) {
    let (_far, address) = bound(world);
    let mut near = world.near().udp_bind(ANY).expect("a free port");
    let outcome = near.send_to(&[0; MAX_UDP_DATAGRAM_BYTES + 1], address);
    assert!(matches!(outcome, Err(NetError::InvalidInput(_))), "{outcome:?}");
}

pub(crate) fn a_datagram_too_long_for_its_reader_is_gone(world: &mut impl World) {
    let (mut far, address) = bound(world);
    let mut near = world.near().udp_bind(ANY).expect("a free port");
    near.send_to(&[7; 100], address).expect("room");
    near.send_to(&[8; 10], address).expect("room");
    let mut buf = [0; 50];
    assert_eq!(until(world, || far.recv_from(&mut buf)), Err(NetError::NoBufs));
    let (count, _) = until(world, || far.recv_from(&mut buf)).expect("the next one");
    assert_eq!(buf[..count], [8; 10]);
}

pub(crate) fn a_port_belongs_to_one_socket_at_a_time(world: &mut impl World) {
    let (far, address) = bound(world);
    let same = port([0; 4], address.port);
    assert_eq!(world.far().udp_bind(same).err(), Some(NetError::AddrInUse));
    assert_eq!(world.far().udp_bind(address).err(), Some(NetError::AddrInUse), "part of any address");
    // TCP's ports are others.
    let listener = world.far().tcp_listen(same, 1).expect("a port of TCP");
    assert_eq!(world.far().tcp_listen(same, 1).err(), Some(NetError::AddrInUse));
    drop((far, listener));
    world.step();
    let _far = world.far().udp_bind(same).expect("free again");
    let _listener = world.far().tcp_listen(same, 1).expect("free again");
}

pub(crate) fn a_port_of_no_number_is_a_free_one(world: &mut impl World) {
    let sockets: Vec<_> = (0..3).map(|_| world.far().udp_bind(ANY).expect("a free port")).collect();
    let mut ports: Vec<_> = sockets.iter().map(|socket| socket.local_addr().port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 3);
    assert!(ports.iter().all(|port| *port >= 1024), "{ports:?}");
    assert_eq!(sockets[0].local_addr().ip, ANY.ip, "as it was asked for");
}

pub(crate) fn only_own_addresses_can_be_bound(world: &mut impl World) {
    // From a block that nobody has (RFC 5737).
    let foreign = port([203, 0, 113, 7], 0);
    let refused = |why: Option<NetError>| assert!(matches!(why, Some(NetError::InvalidInput(_))), "{why:?}");
    refused(world.far().udp_bind(foreign).err());
    refused(world.far().tcp_listen(foreign, 1).err());
    refused(world.far().tcp_listen(ANY, 0).err());
    let own = port(world.far_ip(), 0);
    assert_eq!(world.far().udp_bind(own).expect("ours").local_addr().ip, own.ip);
}

pub(crate) fn nobody_has_these_addresses(world: &mut impl World) {
    let mut near = world.near().udp_bind(ANY).expect("a free port");
    for address in [port([0; 4], 9), port(world.far_ip(), 0)] {
        let refused =
            |why: Option<NetError>| assert!(matches!(why, Some(NetError::InvalidInput(_))), "{why:?}");
        refused(near.send_to(&[0], address).err());
        refused(world.near().tcp_connect(address, None).err());
    }
}

pub(crate) fn unread_datagrams_are_dropped_and_cost_no_memory(world: &mut impl World) {
    const SENT: usize = 4000;
    let (mut far, address) = bound(world);
    let mut near = world.near().udp_bind(ANY).expect("a free port");
    for index in 0..SENT as u32 {
        let datagram = [&index.to_be_bytes()[..], &[0; 996]].concat();
        until(world, || near.send_to(&datagram, address)).expect("room, some time");
    }
    (0..20).for_each(|_| world.step());
    let mut buf = [0; 1000];
    let mut kept = Vec::new();
    while let Ok((count, _)) = far.recv_from(&mut buf) {
        assert_eq!(count, 1000);
        kept.push(u32::from_be_bytes(buf[..4].try_into().expect("4 bytes")));
        world.step();
    }
    assert!(!kept.is_empty() && kept.len() < SENT, "{} kept", kept.len());
    assert!(kept.is_sorted(), "what is kept is in order on a link that does not reorder");
    // And the socket still works.
    near.send_to(b"after", address).expect("room");
    assert_eq!(until(world, || far.recv_from(&mut buf)).expect("a datagram").0, 5);
}

pub(crate) fn connections_cross_whole_and_end_in_order(world: &mut impl World) {
    let (mut listener, _) = listening(world, 2);
    let (mut near, mut far) = connected(world, &mut listener);
    let data = pattern(300_000);
    let mut there = Transfer::of(&data);
    while !there.advance(&mut near, &mut far, 5000).expect("connected") {
        world.step();
    }
    let mut back = Transfer::of(&data);
    while !back.advance(&mut far, &mut near, 1000).expect("connected") {
        world.step();
    }
    near.close();
    assert_eq!(until(world, || far.read(None, &mut [0; 9])), Ok(0), "the end");
}

pub(crate) fn a_deadline_decides_only_about_waiting(world: &mut impl World) {
    let (mut listener, address) = listening(world, 1);
    (0..3).for_each(|_| world.step());
    let late = world.now() - 1;
    let early = world.now() + 1_000_000_000;
    assert_eq!(listener.accept(Some(late)).err(), Some(NetError::TimedOut));
    assert_eq!(listener.accept(Some(early)).err(), Some(NetError::WouldBlock));
    assert_eq!(listener.accept(None).err(), Some(NetError::WouldBlock));
    assert_eq!(world.near().tcp_connect(address, Some(late)).err(), Some(NetError::TimedOut));

    let mut near = world.near().tcp_connect(address, Some(early)).expect("a way");
    let mut far = until(world, || match listener.accept(Some(0)) {
        // Also a connection that is there is handed over late.
        Err(NetError::TimedOut) => Err(NetError::WouldBlock),
        outcome => outcome,
    })
    .expect("a connection");
    until(world, || near.write(None, b"late")).expect("connected");
    let mut buf = [0; 4];
    let read = until(world, || match far.read(Some(0), &mut buf) {
        Err(NetError::TimedOut) => Err(NetError::WouldBlock),
        outcome => outcome,
    });
    assert_eq!(read, Ok(4));
}

pub(crate) fn a_listener_hands_out_connections_in_turn_and_no_more_than_its_backlog<W: World>(world: &mut W) {
    const BACKLOG: usize = 3;
    let (mut listener, address) = listening(world, BACKLOG);
    let mut callers = Vec::new();
    for index in 0..BACKLOG as u8 {
        let mut caller = world.near().tcp_connect(address, None).expect("a way");
        until(world, || caller.write(None, &[index])).expect("room in the backlog");
        callers.push(caller);
    }
    // All that there is room for waits at once, and in the order of arrival.
    for index in 0..BACKLOG as u8 {
        let mut accepted = until(world, || listener.accept(None)).expect("a connection");
        let mut byte = [0];
        assert_eq!(until(world, || accepted.read(None, &mut byte)), Ok(1));
        assert_eq!(byte, [index]);
        accepted.close();
    }
    assert_eq!(listener.accept(None).err(), Some(NetError::WouldBlock));
    // And there is room again.
    let (_near, _far) = connected(world, &mut listener);
}

pub(crate) fn nobody_listens(world: &mut impl World) {
    let (listener, address) = listening(world, 1);
    drop(listener);
    (0..10).for_each(|_| world.step());
    let mut buf = [0; 9];
    match world.near().tcp_connect(address, None) {
        Ok(mut stream) => {
            assert_eq!(until(world, || stream.read(None, &mut buf)), Err(NetError::NotConnected));
            assert_eq!(stream.write(None, &buf), Err(NetError::NotConnected));
        }
        Err(why) => assert_eq!(why, NetError::NotConnected),
    }
}

pub(crate) fn a_dropped_listener_gives_its_port_back_and_keeps_its_connections(world: &mut impl World) {
    let (mut listener, address) = listening(world, 2);
    let (mut near, mut far) = connected(world, &mut listener);
    drop(listener);
    (0..10).for_each(|_| world.step());
    let mut again = world.far().tcp_listen(port([0; 4], address.port), 1).expect("the port is free");
    let data = pattern(5000);
    let mut there = Transfer::of(&data);
    while !there.advance(&mut near, &mut far, 700).expect("connected") {
        world.step();
    }
    let (_near, _far) = connected(world, &mut again);
}

pub(crate) fn ports_and_sockets_can_be_used_again_and_again(world: &mut impl World) {
    let (mut listener, _) = listening(world, 2);
    // More than any stack here has sockets for.
    for round in 0..40_u8 {
        let (mut near, mut far) = connected(world, &mut listener);
        until(world, || near.write(None, &[round; 50])).expect("connected");
        near.close();
        let mut buf = [0; 99];
        assert_eq!(until(world, || far.read(None, &mut buf)), Ok(50));
        assert_eq!(until(world, || far.read(None, &mut buf)), Ok(0));
        far.close();
        drop((near, far));
        (0..10).for_each(|_| world.step());
        let socket = world.far().udp_bind(port([0; 4], 40_007)).expect("the port of the last round");
        drop(socket);
        world.step();
    }
}

pub(crate) fn a_connection_dropped_without_close_is_lost(world: &mut impl World) {
    let (mut listener, _) = listening(world, 1);
    let (near, mut far) = connected(world, &mut listener);
    drop(near);
    let lost = until(world, || far.read(None, &mut [0; 9]));
    assert_eq!(lost, Err(NetError::Disconnected));
    assert_eq!(far.write(None, &[0]), Err(NetError::Disconnected));
}
