//! Texts and hashes.

use super::*;

#[test]
fn sizes_are_told_in_the_largest_unit_that_divides_them() {
    for (bytes, words) in
        [(0, "0 bytes"), (1_000, "1000 bytes"), (262_144, "256 KiB"), (2 << 20, "2 MiB"), (1 << 11, "2 KiB")]
    {
        assert_eq!(size(bytes), words);
    }
}

#[test]
fn the_hash_of_a_file_is_its_sha_256() {
    let path = std::env::temp_dir().join(format!("qemu-run-hash-{}", std::process::id()));
    fs::write(&path, "abc").unwrap();
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1
    assert_eq!(hash(&path).unwrap(), expected);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_program_that_is_not_there_has_no_version() {
    assert_eq!(version(&mut Command::new("/nonexistent/program")), None);
    assert_eq!(version(Command::new("echo").arg("name 1.2")).as_deref(), Some("name 1.2"));
}
