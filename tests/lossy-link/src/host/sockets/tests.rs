//! The kernel's table of sockets.

use super::*;

const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  411: 0100007F:1F90 00000000:0000 07 00000000:00014000 00:00000000 00000000     0        0 1 2 0000000000000000 17
  412: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 0
  413: 0200007F:1F90 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 4
";

#[test]
fn queues_are_those_of_the_local_port() {
    assert_eq!(queue_of_port(TABLE, 8_080), Some(Queue { waiting: 0x1_4000, drops: 21 }));
    assert_eq!(queue_of_port(TABLE, 8_081), Some(Queue::default()));
    assert_eq!(queue_of_port(TABLE, 8_082), None);
}

#[test]
fn a_full_buffer_shows_in_the_count() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(kernel_drops(&socket), Some(0));
    sockopt::set_socket_recv_buffer_size(&socket, 0).unwrap(); // the kernel's least: a few datagrams
    for _ in 0..100 {
        sender.send_to(&[0; 1_200], address).unwrap();
    }
    socket.set_nonblocking(true).unwrap();
    let received = core::iter::from_fn(|| socket.recv(&mut [0; 1_200]).ok()).count() as u64;
    assert!(received < 100);
    assert_eq!(kernel_drops(&socket), Some(100 - received));
}

#[test]
fn buffers_hold_a_quarter_of_a_second_at_100_mbit() {
    let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..2_545 {
        sender.send_to(&[0; 1_200], socket.local_addr().unwrap()).unwrap();
    }
    assert_eq!(kernel_drops(&socket), Some(0));
}
