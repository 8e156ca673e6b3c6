#!/usr/bin/env bash
# Runs the unit tests of the two core libraries in Miri, an interpreter that notices undefined behaviour, on a 64-bit
# machine and on one of 32 bits with the other byte order.
#
# usage: ./scripts/miri.sh [TARGET...]
#   TARGET  what to interpret (x86_64-unknown-linux-gnu and powerpc-unknown-linux-gnu)
#   --help  this text
#
# Our code has no `unsafe`; what is interpreted besides are the cryptographic crates below it. Tests of millions of
# steps, which would take days here, are left out by name. No part of ./scripts/test.sh. Without a nightly toolchain
# that has Miri and the sources of the standard library it says so and ends well:
# rustup component add miri rust-src --toolchain nightly
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TARGETS=()
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    -*) die "unknown argument '$1' (try --help)" ;;
    *) TARGETS+=("$1") && shift ;;
  esac
done
((${#TARGETS[@]})) || TARGETS=(x86_64-unknown-linux-gnu powerpc-unknown-linux-gnu)

if ! cargo +nightly miri --version >/dev/null 2>&1; then
  say "skipped: Miri (rustup component add miri rust-src --toolchain nightly)"
  exit 0
fi
cd "$ROOT"
export MIRIFLAGS=${MIRIFLAGS:--Zmiri-disable-isolation} PROPTEST_CASES=${PROPTEST_CASES:-4}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/miri
# Exhaustive or statistical by nature.
LONG=(every_prefix_of_three_bytes million thousand every_low_order low_order_points full_cross_product
  every_combination equals_the_model sweeps_over_one_window)
SKIP=()
for name in "${LONG[@]}"; do SKIP+=(--skip "$name"); done
for target in "${TARGETS[@]}"; do
  for crate in udp-sec udp-sec-recovery; do
    say "-- $crate on $target"
    cargo +nightly miri test --locked --target "$target" -p "$crate" --lib -- "${SKIP[@]}"
  done
done
