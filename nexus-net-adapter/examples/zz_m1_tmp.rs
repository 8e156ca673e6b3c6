//! temporary
use nexus_net_adapter::{backend::host::*, mux::*, stream::*};
use std::{net::SocketAddr, thread, time::Instant as I};
use udp_sec::{handshake::params::ApplicationProtocol, keys::StaticKeypair, time::Duration};
fn ep(seed: u8, peer: u8) -> HostEndpoint {
    let keys = |s| StaticKeypair::from_secret([s; 32]);
    HostEndpoint::bind(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        config(keys(seed), ApplicationProtocol::new(b"dsoftbus-mux/2").unwrap()),
        Peers::Only(vec![*keys(peer).public()]),
    )
    .unwrap()
}
const TOTAL: usize = 1 << 29;
fn main() {
    println!("{} {}", size_of::<Engine<Vec<u8>>>(), size_of::<Engine<[u8; 0], 4, 4096, 1024>>());
    for mux in [false, true, false, true] {
        let (near, far) = (ep(1, 2), ep(2, 1));
        let addr = far.local_addr().unwrap();
        let key = far.public_key();
        let t = thread::spawn(move || {
            let mut s = far.accept(far.now() + Duration::from_secs(5)).unwrap();
            let mut got = 0;
            let mut buf = vec![0; 1 << 18];
            if !mux {
                while got < TOTAL {
                    got += s.read(&mut buf, s.now() + Duration::from_secs(5)).unwrap();
                }
                s.write(b"x", s.now() + Duration::from_secs(5)).unwrap();
                s.finish().unwrap();
                let _ = s.close(s.now() + Duration::from_secs(5));
            } else {
                s.wait(Interest::LowWater, s.now() + Duration::from_secs(5)).unwrap();
                let mut p = Box::new(Pump::<_, 65536>::begin(s).unwrap());
                let mut e = Engine::<Vec<u8>>::new(Side::Responder, p.peer(), vec![0; 4 << 18]);
                while got < TOTAL {
                    let soon = p.stream().now() + Duration::from_secs(1);
                    p.run_with(&mut e, soon, |_, b| {
                        got += b.len();
                        b.len()
                    })
                    .unwrap();
                    let id = StreamId::new(1).unwrap();
                    while let Ok(n @ 1..) = e.read(id, &mut buf) {
                        got += n;
                    }
                }
                let id = StreamId::new(1).unwrap();
                e.close(id).unwrap();
                for _ in 0..50 {
                    let soon = p.stream().now() + Duration::from_millis(10);
                    let _ = p.run(&mut e, soon);
                }
            }
        });
        let mut s = near.connect(addr, &key, near.now() + Duration::from_secs(5)).unwrap();
        let data = vec![7u8; 1 << 16];
        let start = I::now();
        if !mux {
            let mut left = TOTAL;
            while left > 0 {
                left -= s.write(&data[..left.min(1 << 16)], s.now() + Duration::from_secs(5)).unwrap();
            }
            s.read(&mut [0], s.now() + Duration::from_secs(5)).unwrap();
        } else {
            let mut p = Box::new(Pump::<_, 65536>::begin(s).unwrap());
            let mut e = Engine::<Vec<u8>>::new(Side::Initiator, p.peer(), vec![0; 4 << 18]);
            let id = e.open(PriorityClass::HIGHEST, StreamName::new("b").unwrap()).unwrap();
            let mut left = TOTAL;
            loop {
                while left > 0 {
                    match e.write(id, &data[..left.min(1 << 16)]) {
                        Ok(n) => left -= n,
                        _ => break,
                    }
                }
                if e.read(id, &mut [0]) == Ok(0) {
                    break;
                }
                let soon = p.stream().now() + Duration::from_secs(1);
                p.run(&mut e, soon).unwrap();
            }
        }
        let secs = start.elapsed().as_secs_f64();
        println!("mux {mux}: {:.2} Gbit/s", TOTAL as f64 * 8.0 / secs / 1e9);
        t.join().unwrap();
    }
}
