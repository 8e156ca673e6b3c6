#!/usr/bin/env bash
# One session between two real processes for as long as is wanted, over a link that loses packets, goes dark for two
# seconds of every minute, and gives the caller a new port and address once a minute. Bytes flow both ways all the time.
#
# usage: ./scripts/endurance.sh [--minutes N | --hours N] [--loss PERCENT] [--rtt MS] [--rate MBIT] [--seed N]
#   --minutes N     how long (10)
#   --hours N       the same in hours; 24 are what a release should have
#   --loss PERCENT  datagrams lost in each direction (5)
#   --rtt MS        round-trip time of the link (20)
#   --rate MBIT     rate of the link each way (20)
#   --seed N        which datagrams are lost (7)
#   --help          this text
#
# Succeeds if each side received what the other sent (SHA-256), each had one session all along, resident memory grew by
# no more than 64 KiB after the first third, and the number of open files did not change. Samples of every ten seconds
# are left in artifacts/endurance/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MINUTES=10 LOSS=5 RTT=20 RATE=20 SEED=7
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --minutes | --hours | --loss | --rtt | --rate | --seed)
      [[ ${2:-} =~ ^[0-9]+$ ]] || die "$1 needs a number"
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
  case $1 in
    --minutes) MINUTES=$2 ;;
    --hours) MINUTES=$((60 * $2)) ;;
    --loss) LOSS=$2 ;;
    --rtt) RTT=$2 ;;
    --rate) RATE=$2 ;;
    --seed) SEED=$2 ;;
  esac
  shift 2
done
((MINUTES >= 1)) || die "a minute at least"

cd "$ROOT"
have cargo || die "no cargo here: run ./scripts/setup.sh first"
say "building, as the tests are: with overflow checks and debug assertions"
cargo build --profile test --locked --quiet --all-features -p udp-sec-tool
cargo build --profile test --locked --quiet -p lossy-link
BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug
OUT=$ROOT/artifacts/endurance/$(date -u +%Y-%m-%dT%H-%M-%SZ)
mkdir -p "$OUT"
work_in_background

for side in listen connect; do
  "$BIN/udpsec" keygen --out "$WORK/$side.key" >"$WORK/$side.public" 2>/dev/null
  head -c 1048576 /dev/urandom >"$WORK/$side.bytes"
done

# talk SIDE UNTIL ARGUMENT…: runs a side of the pipe, which sends its bytes over and over until then; prints its own
# process id to SIDE.pid, and the hashes of what it sent and received to SIDE.sent and SIDE.received.
talk() {
  local side=$1 until=$2
  shift 2
  while (($(date +%s) < until)); do cat "$WORK/$side.bytes"; done |
    tee >(sha256sum >"$WORK/$side.sent") |
    (
      # The shell becomes the tool.
      printf '%s\n' "$BASHPID" >"$WORK/$side.pid"
      exec "$BIN/udpsec" "$side" --key "$WORK/$side.key" --transport udp-sec "$@" 2>"$OUT/$side.log"
    ) |
    tee >(wc -c >"$WORK/$side.count") | sha256sum >"$WORK/$side.received"
}

UNTIL=$(($(date +%s) + 60 * MINUTES))
talk listen "$UNTIL" --allow "$(cat "$WORK/connect.public")" --listen 127.0.0.1:0 &
LISTEN=$!
ADDRESS=$(address_of "$OUT/listen.log" "listening on")
TROUBLE=() MOVES=''
for ((minute = 0; minute < MINUTES; minute++)); do
  TROUBLE+=(--blackout "$((60 * minute + 20))..$((60 * minute + 22))")
  MOVES+=${MOVES:+,}$((60 * minute + 45))
done
"$BIN/lossy-link" relay --listen 127.0.0.1:0 --to "$ADDRESS" --loss "$LOSS" --rtt "$RTT" --rate "$RATE" --queue 100 \
  --seed "$SEED" "${TROUBLE[@]}" --rebind "$MOVES" --rebind-address >"$OUT/relay.log" 2>&1 &
RELAY=$!
RELAY_ADDRESS=$(address_of "$OUT/relay.log" "relay ready")
talk connect "$UNTIL" --peer "$(cat "$WORK/listen.public")" "$RELAY_ADDRESS" &
CONNECT=$!

# sample SIDE: seconds since the start, resident KiB and open files of that side, one line of SIDE.samples.
STARTED=$SECONDS
sample() {
  local pid
  pid=$(cat "$WORK/$1.pid")
  [[ -d /proc/$pid/fd ]] || return 0
  printf '%d %d %d\n' "$((SECONDS - STARTED))" "$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")" \
    "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" >>"$OUT/$1.samples"
}
say "$MINUTES minutes: $LOSS % loss each way, RTT $RTT ms, $RATE Mbit/s, dark for 2 s and moved once in each minute"
while (($(date +%s) < UNTIL - 2)); do
  sleep 10
  kill -0 "$LISTEN" 2>/dev/null && kill -0 "$CONNECT" 2>/dev/null || break
  for side in listen connect; do sample "$side" 2>/dev/null || true; done
  (((SECONDS - STARTED) % 60 >= 10)) ||
    say "        $((SECONDS - STARTED)) s: $(tail -qn 1 "$OUT"/*.samples | tr '\n' ',')"
done
status=0
wait "$CONNECT" || status=1
wait "$LISTEN" || status=1
kill -TERM "$RELAY" 2>/dev/null || true
wait "$RELAY" 2>/dev/null || true
sleep 1 # for what `tee` feeds
((status == 0)) || die "a side ended with an error: $(tail -qn 2 "$OUT/listen.log" "$OUT/connect.log")"

# judged SIDE: growth of memory after a third of the samples, and the least and the most open files from there on.
judged() {
  awk '{ rss[NR] = $2; files[NR] = $3 }
    END {
      from = int(NR / 3) + 1; middle = int((from + NR) / 2)
      for (i = from; i <= NR; i++) {
        if (i <= middle) { if (rss[i] > before) before = rss[i] } else if (rss[i] > after) after = rss[i]
        if (i == from || files[i] < least) least = files[i]
        if (files[i] > most) most = files[i]
      }
      print after - before, least, most, after
    }' "$OUT/$1.samples"
}
for side in listen connect; do
  other=$([[ $side == listen ]] && say connect || say listen)
  read -r growth least most resident <<<"$(judged "$side")"
  say "$side: received $(cat "$WORK/$side.count") bytes"
  say "$side: resident $resident KiB, grown by $growth KiB; open files $least to $most"
  broken() {
    warn "$side: $1"
    status=1
  }
  [[ $(cat "$WORK/$side.received") == "$(cat "$WORK/$other.sent")" ]] || broken "other bytes than were sent"
  ((growth <= 64)) || broken "memory grew"
  ((least == most)) || broken "the number of open files changed"
done
((status == 0)) || die "not as promised; logs and samples are in ${OUT#"$ROOT"/}"
say "every byte arrived, both ways, in one session"
