#!/usr/bin/env bash
# Plays simulations on a guest's processor, and compares them with this host's: equal traces, to the last bit.
#
# usage: ./scripts/qemu-laboratory.sh [option...]
#   --seeds N   runs of the simulator: 64 KiB each, at 5 to 20 % loss with reordering (100)
#   --first N   seed of the first (1)
#   --bytes N   bytes of each stage of the target system's own parts, at 5 % loss (1048576)
#   --limit S   longest that a guest may take, in seconds (300)
#   --help      this text
#
# Exit code 0 only if each trace (every datagram byte, time and event) is the same on riscv64 and here, and everything
# arrived through the system's facade, multiplexer and records. Leaves logs in artifacts/qemu/laboratory/.
# docs/qemu.md explains them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SEEDS=100 FIRST=1 BYTES=1048576 LIMIT=300
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --seeds | --first | --bytes | --limit)
      [[ ${2:-} =~ ^[0-9]+$ ]] || die "$1 needs a number"
      option=${1#--}
      printf -v "${option^^}" '%s' "$2"
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

cd "$ROOT"
QEMU=${QEMU:-qemu-system-riscv64}
have "$QEMU" || die "no $QEMU here (Debian: apt-get install qemu-system-misc)"
BIN=${CARGO_TARGET_DIR:-$ROOT/target}
OUT=artifacts/qemu/laboratory
mkdir -p "$OUT"

say "building the laboratory and the host's runs ..."
(cd tests/qemu-guest && cargo_riscv build --quiet --release --locked --features laboratory --bin laboratory)
# As the tests are built, so that what they have compiled already is used.
cargo build --quiet --locked --profile test -p harness --bin traces

# guest NAME ARGUMENTS: boots the laboratory, which says in NAME.log what it found. Its exit code is the guest's.
guest() {
  local status=0
  timeout "$LIMIT" "$QEMU" -machine virt -m 64M -display none -monitor none -bios default \
    -kernel "$BIN/riscv/$BARE_METAL_TARGET/release/laboratory" \
    -serial "file:$OUT/$1.log" -append "$2" </dev/null || status=$?
  if ((status != 0)); then
    tail -n 20 "$OUT/$1.log" >&2
    die "the guest ended with $status"
  fi
}

# figure LOG NAME: the figure of that name.
figure() { sed -n "s/^FIGURE $2 \([0-9]*\).*/\1/p" "$OUT/$1.log"; }

say "the simulator: seeds $FIRST to $((FIRST + SEEDS - 1)) ..."
guest simulate "role=simulate first=$FIRST seeds=$SEEDS"
tr -d '\r' <"$OUT/simulate.log" | grep '^TRACE ' >"$OUT/traces-riscv64.txt"
"$BIN/debug/traces" "first=$FIRST" "seeds=$SEEDS" >"$OUT/traces-host.txt"
diff "$OUT/traces-host.txt" "$OUT/traces-riscv64.txt" >&2 || die "the traces differ"
COMPARED=$(wc -l <"$OUT/traces-riscv64.txt")
((COMPARED == SEEDS)) || die "only $COMPARED traces of $SEEDS"
say "$COMPARED traces, equal on riscv64 and $(uname -m);" \
  "heap $(figure simulate heap_bytes), stack $(figure simulate stack_bytes) bytes"

say "the target system's parts: 3 x $BYTES bytes at 5 % loss ..."
guest shim "role=shim bytes=$BYTES"
tr -d '\r' <"$OUT/shim.log" | grep '^os-shim: '
say "$(figure shim received_bytes) bytes compared, $(figure shim datagrams_lost) datagrams lost," \
  "$(figure shim virtual_us) us; heap $(figure shim heap_bytes), stack $(figure shim stack_bytes) bytes"
