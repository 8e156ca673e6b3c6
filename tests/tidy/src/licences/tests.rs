//! Licence expressions as dependencies write them.

use super::{allowed, permits};

#[test]
fn reads_the_list_of_deny_toml() {
    assert_eq!(allowed("[licenses]\nallow = [\"MIT\", \"ISC\"]\nother = [\"GPL\"]\n"), ["MIT", "ISC"]);
    assert!(allowed("nothing").is_empty());
}

#[test]
fn judges_expressions() {
    let list: Vec<String> = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned).to_vec();
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR X",
    ] {
        assert!(permits(good, &list), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND X", "MIT MIT", "(MIT"] {
        assert!(!permits(bad, &list), "{bad}");
    }
}
