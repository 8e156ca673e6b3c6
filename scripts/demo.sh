#!/usr/bin/env bash
# Shows udp-sec at work: two machines without an operating system, joined by a link that loses packets.
#
# usage: ./scripts/demo.sh [--host] [--size KIB] [--loss PERCENT] [--rtt MS] [--seed N]
#   --size KIB      what is sent in bulk (2048)
#   --loss PERCENT  frames lost in each direction (5)
#   --rtt MS        round-trip time of the link (20)
#   --seed N        which frames are lost, and which bytes are sent (1)
#   --host          without virtual machines: a file, from one process of this host to another
#   --help          this text
#
# Installs what is missing (scripts/setup.sh), boots two guests in QEMU, tells each step when it has happened, and ends
# with a table and a picture. Exit code 0 only if every byte arrived and every step was proven. The first time takes a
# few minutes, to build; then it is half a minute. Where there is no QEMU, it says so and does what --host does.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WHERE=guests SIZE=2048 LOSS=5 RTT=20 SEED=1 CHOSEN=()
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --host)
      WHERE=host
      shift
      continue
      ;;
    --size | --loss | --rtt | --seed) (($# > 1)) || die "$1 needs a value" ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
  [[ $2 =~ ^[0-9]+([.][0-9]+)?$ ]] || die "$1 needs a number, not '$2'"
  option=${1#--}
  printf -v "${option^^}" '%s' "$2"
  CHOSEN+=("$1" "$2")
  shift 2
done
for whole in SIZE SEED; do
  [[ ${!whole} =~ ^[0-9]+$ ]] || die "--${whole,,} needs a whole number, not '${!whole}'"
done
((SIZE > 0)) || die "--size 0 would show nothing"

cd "$ROOT"
QEMU=${QEMU:-qemu-system-riscv64}
host_demo() { exec "$ROOT/scripts/demo-host.sh" "${CHOSEN[@]}"; }
[[ $WHERE == guests ]] || host_demo

cat <<TEXT
Two virtual machines (riscv64, no operating system) speak mux v2 over udp-sec, through an emulated link that loses
$LOSS % of the frames in each direction and has a round-trip time of $RTT ms. One calls the other, both prove their
keys, then they exchange requests and $SIZE KiB in bulk. What they say is shown when they say it.

TEXT
"$ROOT/scripts/setup.sh"
if ! have "$QEMU"; then
  warn "there is no $QEMU here, and it could not be installed: no virtual machines, then."
  warn "Instead: the same transport between two processes of this host, as with --host."
  say
  host_demo
fi

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
status=0
"$ROOT/scripts/qemu-test.sh" --two-vm --watch --loss "$LOSS" --delay "$RTT" --seed "$SEED" \
  --bytes $((SIZE * 1024)) --limit 600 | tee "$WORK/out" || status=$?
RUN=$(sed -n 's/^ *\(passed\|FAILED\): //p' "$WORK/out")
if ((status != 0)) || [[ -z $RUN ]]; then
  die "the demonstration failed: what is wrong stands above${RUN:+; the logs are in $RUN}"
fi

# The evidence holds the SHA-256 of every file of the run: they are counted again here, by another program.
sed -n '/"artifacts": {/,/}/s/^ *"\([^"]*\)": "\([0-9a-f]\{64\}\)",\{0,1\}$/\2  \1/p' \
  "$RUN/release-evidence.json" >"$WORK/hashes"
[[ -s $WORK/hashes ]] || die "$RUN/release-evidence.json lists no hashes"
(cd "$RUN" && sha256sum --check --quiet "$WORK/hashes") || die "a file in $RUN is not the one in the evidence"

row() { printf '  %-22s %s\n' "$1" "$2"; }
say
say "In $RUN:"
row plot.png "the course of the transfer as a picture (plot.svg: the same)"
row link.pcap "every frame, for a packet viewer; drops.jsonl tells which were lost"
row "connector.log" "what that machine said, and listener.log, the other one"
row release-evidence.json "versions, seeds, markers, and $(wc -l <"$WORK/hashes") hashes, all found right just now"
say
say "Every byte arrived, and every step was proven. docs/qemu-test.md has more runs like this one."
