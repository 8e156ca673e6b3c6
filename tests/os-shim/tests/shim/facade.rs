//! Services of the system, which know its facade and nothing else: above our endpoint, and below it.

use nexus_net_adapter::stream::{PeerIdentity, ReliableStream};
use os_shim::exercise::bytes::Bytes;
use os_shim::exercise::{Report, Role, Stage, Step};
use os_shim::os::net::{MAX_TCP_WRITE_BYTES, NetError, NetStack, TcpListener, TcpStream};
use os_shim::shim::stack::{PollTime, SecureStack};

use crate::net::{World, address, below, device, keys, lossy_links, on_a_large_stack};

/// A service, over any listener of the system's.
struct Service<L: TcpListener> {
    listener: L,
    work: Option<Bytes<L::Stream>>,
}

impl<L: TcpListener> Service<L> {
    fn step(&mut self, report: &mut Report) -> Step {
        if self.work.is_none() {
            let accepted = self.listener.accept(None);
            assert!(matches!(accepted, Ok(_) | Err(NetError::WouldBlock)));
            self.work = accepted.ok().map(|stream| Bytes::new(Role::Responder, stream, 1 << 20));
        }
        self.work.as_mut().map_or(Step::Idle, |work| work.step(report).expect("it succeeds"))
    }
}

#[test]
fn a_service_of_the_system_connects_and_listens_as_before() {
    on_a_large_stack(|| {
        let (time, links) = (PollTime::default(), lossy_links(5));
        let (near_below, far_below) = (below(&time, &links, 0), below(&time, &links, 1));
        let (near, far) = (device(&near_below, 0), device(&far_below, 1));
        let world = World { time: &time, links: &links, near: &near, far: &far };
        let key_of = |remote| {
            [0, 1].into_iter().find(|side| address(*side) == remote).map(|side| *keys(side).public())
        };
        let mut client = SecureStack { endpoint: &near, below: &near_below, local: address(0), key_of };
        let mut server = SecureStack { endpoint: &far, below: &far_below, local: address(1), key_of };

        let mut listener = server.tcp_listen(address(1), 8).expect("its own port");
        assert_eq!(listener.local_addr(), address(1));
        let elsewhere = os_shim::os::net::NetSocketAddrV4::new([10, 0, 2, 15], 9);
        assert!(matches!(server.tcp_listen(elsewhere, 8), Err(NetError::InvalidInput(_))));
        assert!(matches!(client.tcp_connect(elsewhere, None), Err(NetError::InvalidInput(_))));
        assert!(matches!(client.udp_bind(address(0)), Err(NetError::Unsupported)));

        client.poll(10);
        assert_eq!(listener.accept(Some(10)).err(), Some(NetError::WouldBlock));
        assert_eq!(listener.accept(Some(9)).err(), Some(NetError::TimedOut));
        let mut stream = client.tcp_connect(address(1), Some(1000)).expect("room");
        assert!(client.next_wake().is_some_and(|tick| tick > 10), "the Initiation may have to be repeated");
        assert_eq!(stream.read(Some(9), &mut [0; 8]), Err(NetError::TimedOut));
        let too_much = vec![0; MAX_TCP_WRITE_BYTES + 1];
        assert!(matches!(stream.write(None, &too_much), Err(NetError::InvalidInput(_))));

        let mut caller = Bytes::new(Role::Connector, stream, 1 << 20);
        let mut service = Service { listener, work: None };
        let (mut reports, mut passed) = ([Report::default(); 2], [false; 2]);
        while passed != [true; 2] {
            let mut steps = [Step::Idle; 2];
            if !passed[0] {
                steps[0] = caller.step(&mut reports[0]).expect("it succeeds");
            }
            if !passed[1] {
                steps[1] = service.step(&mut reports[1]);
            }
            for (passed, step) in passed.iter_mut().zip(steps) {
                *passed |= step == Step::Passed(Stage::Bytes);
            }
            if steps == [Step::Idle; 2] {
                world.pass();
                client.poll(world.ticks());
                server.poll(world.ticks());
            }
        }
        assert_eq!(reports.map(|report| report.bytes), [1 << 20; 2]);
        assert!(reports[0].blocked_by_link > 0, "back-pressure: {reports:?}");
        assert!(world.lost() > 30, "{}", world.lost());

        // An end, as the facade tells it.
        let mut near = caller.into_stream();
        let mut far = service.work.expect("accepted").into_stream();
        assert_eq!(near.0.peer().map(|peer: PeerIdentity| *peer.key()), Some(*keys(1).public()));
        near.close();
        assert_eq!(near.write(None, b"late"), Err(NetError::Disconnected));
        while far.read(None, &mut [0; 8]) != Ok(0) {
            world.pass();
        }
        far.close();
        while near.0.settle(None).is_err() {
            world.pass();
        }
        assert_eq!(far.0.stream().peer().map(|peer| *peer.key()), Some(*keys(0).public()));
    });
}
