#!/usr/bin/env bash
# Runs every check and test of the project, cheapest first, the test runner last.
#
# usage: ./scripts/test.sh [--quick]
#   --quick  formatting, lints, house rules and the tests without the simulations (package `harness`)
#   --help   this text
#
# Stops at the first failure and shows the end of that step's output; all outputs are in target/test-logs/.
# cargo-nextest runs the tests where it is installed, else cargo test. cargo-deny is used if installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

QUICK=no
case ${1:-} in
  "") ;;
  --quick) QUICK=yes ;;
  --help | -h)
    usage "$0"
    exit 0
    ;;
  *) die "unknown argument '$1' (try --help)" ;;
esac

cd "$ROOT"
LOG_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/test-logs
rm -rf "$LOG_DIR"
mkdir -p "$LOG_DIR"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

lint() {
  cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
  # Default features off is what a bare-metal user builds; lints there must be clean as well.
  local crate
  for crate in "${LIBRARY_CRATES[@]}"; do
    cargo clippy --locked -p "$crate" --no-default-features -- -D warnings
  done
}

# Packages that are workspaces of their own are no part of --all.
formatting() {
  cargo fmt --all -- --check --color=never
  local own
  for own in tests/bench tests/fuzz/libfuzzer tests/qemu-guest tests/qemu-run/report; do
    cargo fmt --manifest-path "$own/Cargo.toml" -- --check --color=never
  done
}

# All of them, also those of other platforms: the house rules ask cargo about the whole graph without the network.
download() { cargo fetch --locked; }

house_rules() { cargo test --locked -p tidy; }

documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --all-features; }

# One crate at a time, so that no feature of one can complete another.
bare_metal() {
  local crate
  say "route: $(riscv_route)"
  for crate in "${LIBRARY_CRATES[@]}"; do
    cargo_riscv build --locked -p "$crate" --no-default-features
  done
  # All that the adapter has for devices, and the shim of the system's own types.
  cargo_riscv build --locked -p nexus-net-adapter --no-default-features \
    --features udp,tcp,mux,net,smoltcp,smoltcp-ipv6,embedded-io
  cargo_riscv build --locked -p os-shim
  guest_lints
}

# The guest as it is run, then all images with everything in them.
guest_lints() (
  if [[ $(riscv_route) != target ]]; then
    say "skipped: lints of the guest (they need the target's own standard library)"
    exit
  fi
  cd tests/qemu-guest
  cargo_riscv clippy --locked --bin qemu-guest -- -D warnings
  cargo_riscv clippy --locked --bins --features laboratory,peer-udp-sec,peer-tcp,peer-secure-tcp,medium -- -D warnings
)

# A few guests; the series, the matrix and the peers have commands of their own.
qemu() {
  ./scripts/qemu-test.sh --two-vm --loss 5 --bytes 65536
  ./scripts/qemu-test.sh --profile no-entropy --two-vm
  ./scripts/qemu-test.sh --secrets
  ./scripts/qemu-laboratory.sh --seeds 20
  # As the report was built for the runs above.
  cargo test --locked --release --manifest-path tests/qemu-run/report/Cargo.toml
}

deny() { cargo deny --workspace check bans licenses sources; }

doc_tests() { cargo test --locked --workspace --all-features --doc; }

# The runner below has every feature on, `ring` among them: here the packet layer without.
portable() { cargo test --locked -p udp-sec --lib && cargo test --locked -p secrets --test memory; }

started=$SECONDS
STEPS=11
[[ $QUICK == no ]] || STEPS=6
step "setup" ./scripts/setup.sh
step "downloads" download
step "formatting" formatting
step "house rules" house_rules
step "lints" lint
if [[ $QUICK == no ]]; then
  step "documentation" documentation
  step "doc tests" doc_tests
  step "portable cryptography" portable
  step "bare metal ($BARE_METAL_TARGET)" bare_metal
  step "dependency lists" ./scripts/dependencies.sh
  if have cargo-deny; then
    STEPS=$((STEPS + 1))
    step "cargo deny" deny
  else
    say "        skipped: cargo deny (not installed; ./scripts/setup.sh --with-deny). Its licence, source and"
    say "        duplicate rules are also checked, for this platform, by the house rules and dependency lists."
  fi
fi

if [[ $QUICK == no ]]; then
  if have qemu-system-riscv64; then
    STEPS=$((STEPS + 1))
    step "guests in QEMU" qemu
  else
    say "        skipped: guests in QEMU (qemu-system-riscv64 is not installed)"
  fi
fi

if [[ $QUICK == no ]]; then
  STEPS=$((STEPS + 2))
  step "code size" ./scripts/qemu-code.sh
  step "panic paths" ./scripts/panic-paths.sh
  if ./scripts/fuzz.sh --can-run >/dev/null 2>&1; then
    STEPS=$((STEPS + 1))
    # With a seed: a test run that fails should fail again. To find more, run it without.
    step "fuzzing" ./scripts/fuzz.sh 20 --seed 1
  else
    say "        skipped: fuzzing (nightly toolchain or cargo-fuzz is not installed; ./scripts/setup.sh --with-fuzz)."
    say "        The inputs in tests/fuzz/corpus are tests like any other."
  fi
fi

SELECTION=(--workspace --all-features)
[[ $QUICK == no ]] || SELECTION+=(--exclude harness)
say "[$STEPS/$STEPS] tests ($((SECONDS - started)) s so far)"
if cargo nextest --version >/dev/null 2>&1; then
  exec cargo nextest run --locked "${SELECTION[@]}" --no-fail-fast
else
  # Without --doc: those ran above, and the last lines of this script are the runner's counts.
  exec cargo test --locked "${SELECTION[@]}" --lib --bins --tests --no-fail-fast
fi
