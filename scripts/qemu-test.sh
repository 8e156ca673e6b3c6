#!/usr/bin/env bash
# Boots the bare-metal guests in QEMU, joins them by a link that loses packets, and judges them by their markers.
#
# usage: ./scripts/qemu-test.sh [option...]
#   --profile NAME   udp-sec (the default), fallback, strict, quic, no-entropy, or selftest (one guest, in memory)
#   --two-vm         two guests; else a guest and this host: once the host listens, then it calls
#   --loss PERCENT   frames lost each way (0)          --delay MS      round-trip time (20)
#   --reorder PERCENT  frames held back by 5 ms (0)    --rate MBIT     rate of the link, 0 for no limit (10)
#   --queue FRAMES   frames that may wait for it (25)  --seed N        what is lost, which bytes are sent (1)
#   --bytes N        bytes of the bulk (262144)        --mtu BYTES     largest IP packet (1228)
#   --without HOW    in fallback and strict: UDP blocked on the link (the default), or off in the guest
#   --seeds N        the same with N seeds, and a table with medians (1; with --matrix 3)
#   --matrix         two guests at 0, 1, 5 and 10 % loss, and a table
#   --watch          shows the markers while they come, then a table of the figures
#   --kill-peer      the listener is killed in the middle of the bulk; later markers must then be absent
#   --secrets        the memory of both guests is searched for the keys of their session, in its middle and afterwards
#   --fuzz FRAMES    so many hostile frames for the listener while a session runs
#   --limit SECONDS  longest that a guest may take (120)
#   --help           this text
#
# Exit code 0 only if every log shows its ladder of markers, in order and nothing forbidden, the link carried what
# the profile allows, and every guest ended as it should. Each run leaves a folder in artifacts/qemu/: logs, link.pcap,
# drops.jsonl, the decoded defmt logs, plot.png and plot.svg, summary.txt, summary.json, release-evidence.json.
# docs/qemu-test.md explains them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

OPTIONS=()
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --two-vm | --matrix | --kill-peer | --secrets | --watch)
      OPTIONS+=("$1")
      shift
      ;;
    --profile | --loss | --delay | --reorder | --rate | --queue | --seed | --bytes | --mtu | --without | --seeds | \
      --fuzz | --limit)
      (($# > 1)) || die "$1 needs a value"
      OPTIONS+=("$1=$2")
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

cd "$ROOT"
QEMU=${QEMU:-qemu-system-riscv64}
"$ROOT/scripts/setup.sh"
have "$QEMU" || die "no $QEMU here (Debian: apt-get install qemu-system-misc)"

BIN=${CARGO_TARGET_DIR:-$ROOT/target}
LOG_DIR=$BIN/build-logs STEPS=1 STEP_SIGN=5
mkdir -p "$LOG_DIR"
step "building the guest, the link and what judges them" build_qemu_runs

mkdir -p artifacts/qemu
# Not `exec`: an interrupt has to reach the runner, which ends its guests.
"$BIN/debug/qemu-run" \
  --qemu "$QEMU" \
  --image "$BIN/riscv/$BARE_METAL_TARGET/release/qemu-guest" \
  --relay "$BIN/debug/ether-relay" \
  --host-end "$BIN/debug/ladder-host" \
  --report "${CARGO_TARGET_DIR:-$ROOT/tests/qemu-run/report/target}/release/qemu-report" \
  --out artifacts/qemu \
  --stamp "$(date -u +%Y-%m-%dT%H-%M-%SZ)" \
  --commit "$(git describe --always --dirty 2>/dev/null || echo unknown)" \
  "${OPTIONS[@]}"
