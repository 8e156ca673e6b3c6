//! The allow-list allows what was added, and is full when it is full.

use super::{AllowList, Full, Policy};
use crate::keys::PublicKey;

fn key(first: u8, last: u8) -> PublicKey {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes[31] = last;
    PublicKey::from_bytes(bytes)
}

#[test]
fn allows_what_was_added_and_not_removed() {
    let mut list = AllowList::<3>::new();
    assert!(list.is_empty() && !list.authorizes(&key(0, 0)));
    for name in 1..=3 {
        assert_eq!(list.add(key(name, 0)), Ok(()));
    }
    assert_eq!(list.add(key(4, 0)), Err(Full));
    assert_eq!(list.add(key(2, 0)), Ok(()), "already in");
    assert_eq!(list.len(), 3);
    assert!((1..=3).all(|name| list.authorizes(&key(name, 0))));
    assert!(!list.authorizes(&key(1, 1)) && !list.authorizes(&key(4, 0)));
    assert!(list.remove(&key(2, 0)) && !list.remove(&key(2, 0)));
    assert!(!list.authorizes(&key(2, 0)) && list.authorizes(&key(3, 0)));
    assert_eq!(list.add(key(4, 0)), Ok(()));
    assert!(list.authorizes(&key(4, 0)));
}
