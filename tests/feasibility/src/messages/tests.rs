//! Tests of reading cargo's messages. The recorded ones are those of real builds, shortened to the fields in use.

use super::*;

const NO_STD: &str = "{\"reason\":\"compiler-message\",\"package_id\":\"registry+index#slab@0.4.12\",\"message\":\
    {\"level\":\"error\",\"code\":{\"code\":\"E0463\"},\"message\":\"can't find crate for `std`\"}}";
const FOLLOWS: &str = "{\"reason\":\"compiler-message\",\"package_id\":\"registry+index#slab@0.4.12\",\"message\":\
    {\"level\":\"error\",\"code\":{\"code\":\"E0425\"},\"message\":\"cannot find type `Option` in this scope\"}}";
const UNSUPPORTED: &str = "{\"reason\":\"compiler-message\",\"package_id\":\"registry+index#getrandom@0.2.17\",\
    \"message\":{\"level\":\"error\",\"code\":null,\"message\":\"target is not supported\\nsee the manual\"}}";
const WARNING: &str = "{\"reason\":\"compiler-message\",\"package_id\":\"registry+index#bytes@1.12.2\",\"message\":\
    {\"level\":\"warning\",\"code\":{\"code\":\"unused\"},\"message\":\"unused import\"}}";
const OURS: &str = "{\"reason\":\"compiler-message\",\"package_id\":\"path+file:///scratch/rustls-quic#probe@0.0.0\",\
    \"message\":{\"level\":\"error\",\"code\":{\"code\":\"E0432\"},\"message\":\"unresolved import `rustls::quic`\"}}";
const FINISHED: &str = "{\"reason\":\"build-finished\",\"success\":false}";

fn found(stdout: &[&str], stderr: &str) -> Vec<String> {
    blockers(&stdout.join("\n"), stderr).iter().map(ToString::to_string).collect()
}

#[test]
fn each_crate_has_its_first_error() {
    let lines = [WARNING, UNSUPPORTED, NO_STD, FOLLOWS, OURS, FINISHED];
    assert_eq!(
        found(&lines, ""),
        [
            "getrandom 0.2.17: target is not supported",
            "probe: E0432 unresolved import `rustls::quic`",
            "slab 0.4.12: E0463 can't find crate for `std`",
        ],
    );
}

#[test]
fn a_build_script_that_fails_is_a_blocker() {
    let stderr = "   Compiling ring v0.17.14\nerror: failed to run custom build command for `ring v0.17.14`\n\n\
                  Caused by:\n  process didn't exit successfully\n";
    assert_eq!(found(&[FINISHED], stderr), ["ring 0.17.14: its build script failed"]);
}

#[test]
fn what_is_no_error_is_no_blocker() {
    assert!(
        found(&[WARNING, FINISHED, "", "no JSON", "{\"reason\":1}", "[]"], "error: failed to fetch\n")
            .is_empty()
    );
}

#[test]
fn package_ids_of_every_form() {
    assert_eq!(package("registry+index#slab@0.4.12"), "slab 0.4.12");
    assert_eq!(package("path+file:///a/probe#0.0.0"), "probe");
    assert_eq!(package("path+file:///a/b#probe@0.0.0"), "probe");
    assert_eq!(package("git+https://host/bytes?rev=1#1.2.3"), "bytes?rev=1 1.2.3");
}
