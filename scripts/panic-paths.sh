#!/usr/bin/env bash
# Builds the QEMU guest's image and looks in its machine code for calls of panics that are written in our crates.
# Fails if there is one that tests/panic-paths/src/exceptions.rs does not list, with the reason.
#
# usage: ./scripts/panic-paths.sh
#   --help   this text
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  "") ;;
  --help | -h)
    usage "$0"
    exit 0
    ;;
  *) die "unknown argument '$1' (try --help)" ;;
esac

cd "$ROOT"
(cd tests/qemu-guest && cargo_riscv build --quiet --release --locked)
cargo run --quiet --locked --profile test -p panic-paths -- \
  "${CARGO_TARGET_DIR:-$ROOT/target}/riscv/$BARE_METAL_TARGET/release/qemu-guest"
