//! A panic is printed and ends the machine. So does everything else that should never happen.

use core::panic::PanicInfo;

use super::finisher;
use crate::say;

/// What QEMU exits with after a panic.
const STATUS: u16 = 101;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say!("panic: {info}");
    finisher::exit(STATUS)
}
