//! The sessions of an endpoint, accepted where connections were expected, and ended so that nothing is lost.

use nexus_net_adapter::net::{
    NetError, NetSocketAddrV4, NetStack, Secured, SecuredListener, TcpListener, TcpStream, TickRate,
};

use crate::memory::{FAR, Stack, lab};
use crate::sessions::{Lab, keys};
use crate::world::ANY;

#[test]
fn sessions_are_accepted_where_connections_were() {
    let lab = lab();
    let (caller, _) = Lab::<Stack>::udp_sec(lab.near(), |stack| stack.udp_bind(ANY), 1, 2);
    let (called, local) = Lab::<Stack>::udp_sec(lab.far(), |stack| stack.udp_bind(ANY), 2, 1);
    let mut listener = SecuredListener::new(called, lab.far(), local, TickRate::MICROS);
    assert_eq!(listener.local_addr(), local);
    (0..3).for_each(|_| lab.step());
    let now = lab.now().as_micros();
    assert_eq!(listener.accept(Some(now - 1)).err(), Some(NetError::TimedOut));
    assert_eq!(listener.accept(Some(now + 1)).err(), Some(NetError::WouldBlock));

    let near = lab.call(caller, NetSocketAddrV4::new(FAR, local.port));
    let mut near = Secured::new(near, TickRate::MICROS);
    assert_eq!(near.write(None, b"too early"), Err(NetError::WouldBlock), "nobody has proven anything");
    let mut far = loop {
        caller.drive();
        match listener.accept(None) {
            Ok(far) => break far,
            Err(why) => assert_eq!(why, NetError::WouldBlock),
        }
        lab.step();
    };
    assert_eq!(far.peer().map(|peer| *peer.key()), Some(*keys(1).public()));

    assert_eq!(near.write(None, b"question"), Ok(8));
    near.close();
    let mut buf = [0; 9];
    let mut read = Vec::new();
    while read.len() < 8 {
        assert_eq!(near.settle(None), Err(NetError::WouldBlock), "the other side is open");
        lab.step();
        match far.read(None, &mut buf) {
            Ok(count) => read.extend_from_slice(&buf[..count]),
            Err(why) => assert_eq!(why, NetError::WouldBlock),
        }
    }
    assert_eq!(read, b"question");
    far.close();
    while near.settle(None).is_err() {
        assert_eq!(near.settle(Some(0)).err(), Some(NetError::TimedOut));
        lab.step();
        _ = far.settle(None);
    }
    assert_eq!(far.settle(None), Ok(()));
}

#[test]
fn a_stranger_is_not_accepted() {
    let lab = lab();
    let (caller, _) = Lab::<Stack>::udp_sec(lab.near(), |stack| stack.udp_bind(ANY), 7, 2);
    let (called, local) = Lab::<Stack>::udp_sec(lab.far(), |stack| stack.udp_bind(ANY), 2, 1);
    let mut listener = SecuredListener::new(called, lab.far(), local, TickRate::MICROS);
    let mut near = Secured::new(lab.call(caller, NetSocketAddrV4::new(FAR, local.port)), TickRate::MICROS);
    let outcome = loop {
        assert_eq!(listener.accept(None).err(), Some(NetError::WouldBlock));
        match near.read(None, &mut [0; 9]) {
            Err(NetError::WouldBlock) => lab.step(),
            outcome => break outcome,
        }
    };
    assert_eq!(outcome, Err(NetError::NotConnected), "nobody answered");
}
