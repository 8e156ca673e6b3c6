//! What QEMU says.

use super::*;

#[test]
fn answers_are_told_from_what_else_comes() {
    assert_eq!(answer(r#"{"QMP": {"version": {}}}"#).unwrap(), None);
    assert_eq!(answer(r#"{"event": "STOP", "timestamp": {}}"#).unwrap(), None);
    assert_eq!(answer(r#"{"return": {}}"#).unwrap(), Some(json!({})));
    assert_eq!(answer(r#"{"return": {"status": "shutdown"}}"#).unwrap().unwrap()["status"], "shutdown");
    let refused = answer(r#"{"error": {"class": "GenericError", "desc": "no such file"}}"#).unwrap_err();
    assert!(refused.to_string().contains("no such file"));
    assert!(answer("qemu: what").is_err());
}
