#!/usr/bin/env bash
# Measures udp-sec beside other transports on this machine: the peers in turn, medians of several rounds.
#
# usage: ./scripts/bench.sh [PART...] [option...]
#   PART              bulk (one stream over loopback) or loss (100 Mbit/s, RTT 20 ms, queue of 208 packets,
#                     random loss each way); both unless named
#   --rounds N        rounds of each measurement (5)
#   --bulk-seconds N  length of each bulk transfer (5)
#   --seconds N       length of each transfer under loss (30)
#   --cells LIST      losses in percent (0.1,1,5)
#   --peers LIST      who takes part, in this order (quinn,ours)
#   --help            this text
#
# Both parts at their defaults take about 20 minutes. The table shows, for each peer, the bytes delivered per
# second at the receiver, the CPU time of each side per GiB delivered, and the ratio to quinn; medians with
# (least-greatest). Everything measured is left in artifacts/bench/, a file for each run of this script. Let
# the machine do nothing else meanwhile; ratios carry further than figures.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PARTS=()
OPTIONS=()
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    bulk | loss)
      PARTS+=("$1")
      shift
      ;;
    --rounds | --bulk-seconds | --seconds | --cells | --peers)
      (($# > 1)) || die "$1 needs a value"
      OPTIONS+=("$1=$2")
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done
((${#PARTS[@]})) || PARTS=(bulk loss)

have cargo || die "no cargo here: run ./scripts/setup.sh first"
cd "$ROOT"
say "building (release)"
cargo build --locked --release --quiet -p lossy-link
cargo build --release --quiet --manifest-path tests/bench/Cargo.toml

# Each workspace builds into its own folder, unless the environment names one for both.
RELAY=${CARGO_TARGET_DIR:-$ROOT/target}/release/lossy-link
PEERS=${CARGO_TARGET_DIR:-$ROOT/tests/bench/target}/release/bench-peers

LOAD=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo 0)
if [[ ${LOAD%%.*} -ge 1 ]]; then warn "the machine is busy (load $LOAD): figures will be low and spread"; fi

parts=$(IFS=,; printf '%s' "${PARTS[*]}")
exec "$PEERS" run --parts="$parts" --relay="$RELAY" \
  --out="artifacts/bench/$(date -u +%Y-%m-%dT%H-%M-%SZ).json" "${OPTIONS[@]}"
