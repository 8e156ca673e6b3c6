#!/usr/bin/env bash
# Floods a listening guest with hostile frames while it serves a session, and holds its memory against peaceful runs.
#
# usage: ./scripts/qemu-hostile.sh [option...]
#   --frames N   hostile frames for each boot (20000)
#   --boots N    boots, each with another seed (1)
#   --limit S    longest that a guest may take, in seconds (200)
#   --help       this text
#
# Exit code 0 only if no guest panicked or failed, each climbed its whole ladder, and no hostile run took more heap, or
# a deeper stack, than the deepest of two peaceful ones, with and without losses. docs/qemu.md explains the figures.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FRAMES=20000 BOOTS=1 LIMIT=200
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --frames | --boots | --limit)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number"
      option=${1#--}
      printf -v "${option^^}" '%s' "$2"
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# runs NAME OPTION...: runs of qemu-test.sh, whose folders are then listed in NAME.
runs() {
  local name=$1
  shift
  "$ROOT/scripts/qemu-test.sh" --limit "$LIMIT" "$@" | tee "$WORK/out"
  sed -n 's/^ *passed: //p' "$WORK/out" >>"$WORK/$name"
}

# worst NAME FIGURE: the largest that a listener of these runs has printed; each of them has.
worst() {
  local folder value largest=0
  while read -r folder; do
    value=$(cd "$ROOT" && tr -d '\r' <"$folder/listener.log" | sed -n "s/^FIGURE $2 //p" | sort -n | tail -n 1)
    [[ $value =~ ^[0-9]+$ ]] || die "no figure $2 in $folder"
    ((value > largest)) && largest=$value
  done <"$WORK/$1"
  say "$largest"
}

runs peaceful --two-vm
runs peaceful --two-vm --loss 5
runs hostile --fuzz "$FRAMES" --seeds "$BOOTS"
(($(wc -l <"$WORK/peaceful") == 2 && $(wc -l <"$WORK/hostile") == BOOTS)) || die "not every run has passed"

say
say "$((FRAMES * BOOTS)) hostile frames in $BOOTS boots; the listener's worst figures, in bytes:"
printf '%-24s %10s %10s\n' figure peaceful hostile
for name in heap_bytes heap_bytes_in_use stack_handshake_bytes stack_transfer_bytes; do
  printf '%-24s %10d %10d\n' "$name" "$(worst peaceful "$name")" "$(worst hostile "$name")"
done
for name in heap_bytes heap_bytes_in_use; do
  (($(worst hostile "$name") <= $(worst peaceful "$name"))) || die "$name has grown"
done
# Either part of a run may be the deeper one; what a device sets aside is the depth of both.
depth() {
  local handshake transfer
  handshake=$(worst "$1" stack_handshake_bytes)
  transfer=$(worst "$1" stack_transfer_bytes)
  say "$((handshake > transfer ? handshake : transfer))"
}
(($(depth hostile) <= $(depth peaceful))) || die "the stack has grown"
