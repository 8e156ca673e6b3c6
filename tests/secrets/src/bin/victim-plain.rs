//! The victim with the system's allocator, which leaves what it is given back as it is.

fn main() -> std::io::Result<()> {
    secrets::victim::run()
}
