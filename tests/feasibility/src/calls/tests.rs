//! Tests of finding clocks and random sources.

use super::*;

fn found(text: &str) -> Vec<String> {
    in_text("demo", "src/lib.rs", &shipped(text, &BTreeSet::new()).text)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_call_is_found_with_its_function() {
    let text = "use std::time::Instant;\nfn outer() {\n    fn inner() -> Instant {\n        Instant::now()\n    }\n\
                    rand::rng().fill(&mut key);\n}\n";
    assert_eq!(
        found(text),
        ["clock demo src/lib.rs:4 Instant::now in inner", "entropy demo src/lib.rs:6 rand::rng in outer"],
    );
}

#[test]
fn what_is_no_call_is_not_found() {
    assert!(
        found(
            "use rand::rngs::{OsRng, StdRng};\n/// Calls `Instant::now()`.\nfn a() { b(\"Instant::now()\"); }"
        )
        .is_empty()
    );
    assert!(found("fn a() { rand::rngs::StdRng::seed_from_u64(1); my_thread_rng(); }").is_empty());
    assert!(found("#[cfg(test)]\nmod tests {\n    fn a() { Instant::now(); }\n}").is_empty());
}

#[test]
fn a_record_is_read_again() {
    let text = "entropy quinn-proto src/token.rs:419 rand::rng in new";
    assert_eq!(text.parse::<Call>().expect("a call").to_string(), text);
    for wrong in ["", "entropy a b:1 c", "sound a b:1 c in d", "clock a b:x c in d", "clock a b c in d"] {
        assert!(wrong.parse::<Call>().is_err(), "{wrong:?}");
    }
}

#[test]
fn files_of_test_modules_are_left_out() {
    let folder = std::env::temp_dir().join(format!("feasibility-calls-{}", std::process::id()));
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, text).expect("written");
    };
    let call = "fn f() { Instant::now(); }\n";
    write(
        "src/lib.rs",
        "mod a;\n#[cfg(test)]\nmod checks;\n#[cfg(test)]\n#[path = \"a/odd.rs\"]\nmod odd;\n",
    );
    write("src/checks.rs", call);
    write("src/checks/more.rs", call);
    write("src/a.rs", "#[cfg(test)]\nmod tests;\nmod checks;\n");
    write("src/a/tests.rs", call);
    write("src/a/checks.rs", call);
    write("src/a/odd.rs", call);
    let calls = in_crate("demo", &folder, &BTreeSet::new()).expect("readable");
    fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(
        calls.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["clock demo src/a/checks.rs:1 Instant::now in f"]
    );
}
