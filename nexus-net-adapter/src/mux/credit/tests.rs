//! The account never promises more than there is room for, and never lets a peer starve.

use proptest::prelude::*;

use super::*;

#[test]
fn the_window_opens_to_its_full_width_with_the_first_bytes_read() {
    let mut credit = ReceiveCredit::new(4096, WindowCredit::new(1024));
    assert_eq!(credit.outstanding().get(), 1024);
    credit.on_received(100).unwrap();
    assert_eq!(credit.on_read(0), Some(WindowCredit::new(4096 - 924)));
    assert_eq!(credit.outstanding().get(), 4096);
    credit.on_received(1023).unwrap();
    assert_eq!(credit.on_read(0), None, "not worth a frame");
    credit.on_received(1).unwrap();
    assert_eq!(credit.on_read(0), Some(WindowCredit::new(1024)));
}

#[test]
fn more_than_was_granted_is_rejected_and_changes_nothing() {
    let mut credit = ReceiveCredit::new(4096, WindowCredit::new(10));
    let before = credit;
    assert_eq!(credit.check(11), Err(MuxReject::WindowCreditOverflowOrUnderflow));
    assert_eq!(credit.on_received(11), Err(MuxReject::WindowCreditOverflowOrUnderflow));
    assert_eq!(credit, before);
    credit.check(10).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_may_come_always_has_its_place(
        window in 1..10_000u32,
        initial in 1..10_000u32,
        steps in proptest::collection::vec((any::<bool>(), any::<u16>()), 0..200),
    ) {
        let mut credit = ReceiveCredit::new(window, WindowCredit::new(initial));
        let (mut peer_may_send, mut waiting) = (credit.outstanding().get(), 0);
        for (receive, amount) in steps {
            if receive {
                let amount = u32::from(amount).min(peer_may_send);
                credit.on_received(amount as usize).unwrap();
                (peer_may_send, waiting) = (peer_may_send - amount, waiting + amount);
            } else {
                waiting -= u32::from(amount).min(waiting);
                peer_may_send += credit.on_read(waiting as usize).map_or(0, WindowCredit::get);
            }
            prop_assert_eq!(peer_may_send, credit.outstanding().get());
            prop_assert!(peer_may_send + waiting <= window);
        }
        peer_may_send += credit.on_read(0).map_or(0, WindowCredit::get);
        prop_assert!(peer_may_send > 0, "everything was read, and the peer may send nothing");
    }
}
