//! Tests of judging predicates.

use super::*;

fn judged(predicate: &str) -> Option<bool> {
    holds(predicate, &BTreeSet::from(["alloc".to_owned()]))
}

#[test]
fn tests_are_off_and_features_as_asked() {
    assert_eq!(judged("test"), Some(false));
    assert_eq!(judged("feature = \"alloc\""), Some(true));
    assert_eq!(judged("feature=\"std\""), Some(false));
    assert_eq!(judged("not(test)"), Some(true));
    assert_eq!(judged(" not( not( feature = \"std\" ) ) "), Some(false));
}

#[test]
fn lists_are_decided_as_soon_as_they_can_be() {
    assert_eq!(judged("any(test, feature = \"testing\")"), Some(false));
    assert_eq!(judged("any(unix, feature = \"alloc\")"), Some(true));
    assert_eq!(judged("any(unix, test)"), None);
    assert_eq!(judged("all(unix, test,)"), Some(false));
    assert_eq!(judged("all(feature = \"alloc\", not(any(test, feature = \"std\")))"), Some(true));
    assert_eq!(judged("all()"), Some(true));
    assert_eq!(judged("any()"), Some(false));
}

#[test]
fn the_target_is_not_known() {
    for predicate in
        ["unix", "target_os = \"none\"", "not(windows)", "latest", "all(unix, feature = \"alloc\")"]
    {
        assert_eq!(judged(predicate), None, "{predicate}");
    }
}
