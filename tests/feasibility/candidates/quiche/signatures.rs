//! quiche is not told the time: it says when it wants to be called, and reads the clock itself when it is.

use std::time::{Duration, Instant};

use quiche::{Connection, RecvInfo, Result, SendInfo};

fn main() {
    let _: fn(&mut Connection) = Connection::on_timeout;
    let _: fn(&Connection) -> Option<Duration> = Connection::timeout;
    let _: fn(&Connection) -> Option<Instant> = Connection::timeout_instant;
    let _: fn(&mut Connection, &mut [u8], RecvInfo) -> Result<usize> = Connection::recv;
    let _: fn(&mut Connection, &mut [u8]) -> Result<(usize, SendInfo)> = Connection::send;
}
