#!/usr/bin/env bash
# What floods cost on this machine: processor time for each unwanted datagram, handshakes per second, the memory of
# idle sessions, and what a session that is offered 200 Mbit/s over loopback keeps while a flood goes to its socket.
#
# usage: ./scripts/floods.sh [PART...] [option...]
#   PART            cost, handshakes or transfer; all unless named
#   --handshakes N  handshakes one after the other (100000, about two minutes)
#   --rounds N      rounds of the transfer: alone, 50 000 wrong macs per second, 100 000 tiny datagrams (5)
#   --seconds N     length of each (5)
#   --help          this text
#
# Prints each figure beside its bound; the exit status is not 0 if one is not kept. Processor time is that of the
# endpoint's thread, so other work disturbs it little; the transfers need two idle cores.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PARTS=()
HANDSHAKES=100000
ROUNDS=5
SECONDS_EACH=5
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    cost | handshakes | transfer)
      PARTS+=("$1")
      shift
      ;;
    --handshakes | --rounds | --seconds)
      (($# > 1)) || die "$1 needs a value"
      [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number, not '$2'"
      case $1 in
        --handshakes) HANDSHAKES=$2 ;;
        --rounds) ROUNDS=$2 ;;
        --seconds) SECONDS_EACH=$2 ;;
      esac
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done
((${#PARTS[@]})) || PARTS=(cost handshakes transfer)

have cargo || die "no cargo here: run ./scripts/setup.sh first"
cd "$ROOT"
cargo build --locked --release --quiet --package floods
FLOODS=${CARGO_TARGET_DIR:-$ROOT/target}/release/floods

LOAD=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo 0)
if [[ ${LOAD%%.*} -ge 1 ]]; then warn "the machine is busy (load $LOAD): transfers will suffer from that, too"; fi

status=0
for part in "${PARTS[@]}"; do
  say "-- $part"
  case $part in
    cost) "$FLOODS" cost || status=1 ;;
    handshakes) "$FLOODS" handshakes "$HANDSHAKES" || status=1 ;;
    transfer) "$FLOODS" transfer "$ROUNDS" "$SECONDS_EACH" || status=1 ;;
  esac
done
exit "$status"
