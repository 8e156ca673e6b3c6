#!/usr/bin/env bash
# Sends a random file from one process of this host to another, through a link that loses packets: the demonstration
# without virtual machines.
#
# usage: ./scripts/demo.sh --host [--size KIB] [--loss PERCENT] [--rtt MS] [--seed N]
#   --size KIB      size of the file (2048)
#   --loss PERCENT  datagrams lost in each direction (5)
#   --rtt MS        round-trip time of the link (20)
#   --seed N        which datagrams are lost (7)
#   --help          this text
#
# Three processes on the loopback interface: `udpsec recv`, `lossy-link relay` and `udpsec send`, with keys
# made for this run. Ends with exit code 0 only if the received file has the hash of the one that was sent.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SIZE_KIB=2048 LOSS=5 RTT=20 SEED=7
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --size | --loss | --rtt | --seed) (($# > 1)) || die "$1 needs a value" ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
  [[ $2 =~ ^[0-9]+([.][0-9]+)?$ ]] || die "$1 needs a number, not '$2'"
  case $1 in
    --size) SIZE_KIB=$2 ;;
    --loss) LOSS=$2 ;;
    --rtt) RTT=$2 ;;
    --seed) SEED=$2 ;;
  esac
  shift 2
done

cd "$ROOT"
"$ROOT/scripts/setup.sh"
BIN=${CARGO_TARGET_DIR:-$ROOT/target}/release
LOG_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/build-logs STEPS=1 STEP_SIGN=5
mkdir -p "$LOG_DIR"
step "building the tool and the link" cargo build --release --locked -p udp-sec-tool -p lossy-link

work_in_background

# start NAME COMMAND…: runs it in the background, its output in $WORK/NAME.log.
start() {
  local name=$1
  shift
  : >"$WORK/$name.log"
  "$@" >>"$WORK/$name.log" 2>&1 </dev/null &
}

failed() {
  local log
  for log in "$WORK"/*.log; do
    printf -- '--- %s\n' "$(basename "$log")" >&2
    tail -n 20 "$log" >&2
  done
  die "$1"
}

# ended PID SECONDS: waits for a process of ours, its exit code is ours. A sign of life every 5 s.
ended() {
  local pid=$1 tries=0
  while kill -0 "$pid" 2>/dev/null; do
    ((tries++ < $2 * 10)) || return 124
    ((tries % 50 > 0)) || say "        ... $((tries / 10)) s"
    sleep 0.1
  done
  wait "$pid"
}

# number NAME KEY [NTH]: the integer under KEY in NAME.json, the NTH of that name (the first).
number() {
  local value
  value=$(tr '{},' '\n' <"$WORK/$1.json" | sed -n "s/^ *\"$2\": *\([0-9]*\) *$/\1/p" | sed -n "${3:-1}p")
  [[ -n $value ]] || failed "$1 reports no '$2'"
  printf '%s' "$value"
}
row() { printf '  %-34s %s\n' "$1" "$2"; }
hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }

key() {
  local public
  public=$("$BIN/udpsec" keygen --out "$WORK/$1.key" 2>>"$WORK/keygen.log" |
    grep -oE '[A-Za-z0-9+/]{43}=' | head -n 1) || true
  [[ -n $public ]] || failed "udpsec keygen printed no public key"
  printf '%s' "$public"
}
RECEIVER=$(key receiver)
SENDER=$(key sender)
mkdir "$WORK/received"
head -c $((SIZE_KIB * 1024)) /dev/urandom >"$WORK/random.bin"

start recv "$BIN/udpsec" recv --key "$WORK/receiver.key" --allow "$SENDER" --listen 127.0.0.1:0 \
  --out "$WORK/received" --stats "$WORK/recv.json"
RECV_PID=$!
RECV_ADDRESS=$(address_of "$WORK/recv.log" "listening on") || failed "no receiver"
start relay "$BIN/lossy-link" relay --listen 127.0.0.1:0 --to "$RECV_ADDRESS" --loss "$LOSS" --rtt "$RTT" \
  --seed "$SEED" --stats "$WORK/relay.json"
RELAY_PID=$!
RELAY_ADDRESS=$(address_of "$WORK/relay.log" "relay ready") || failed "no link"

say "sending $SIZE_KIB KiB: send -> $RELAY_ADDRESS (loses $LOSS % each way, RTT $RTT ms) -> $RECV_ADDRESS"
SENT_HASH=$(hash_of "$WORK/random.bin")
start send "$BIN/udpsec" send --key "$WORK/sender.key" --peer "$RECEIVER" "$RELAY_ADDRESS" "$WORK/random.bin" \
  --stats "$WORK/send.json"
ended $! 300 || failed "udpsec send failed"
ended "$RECV_PID" 30 || failed "udpsec recv failed"
# The relay writes its counters when it is told to end.
kill -TERM "$RELAY_PID"
ended "$RELAY_PID" 10 || true

[[ -f $WORK/received/random.bin ]] || failed "no file was received"
RECEIVED_HASH=$(hash_of "$WORK/received/random.bin")
MICROS=$(number send elapsed_us)
((MICROS > 0)) || failed "udpsec send took no time"
SENT=$(number send datagrams_sent)
ACKS=$(number recv datagrams_sent)
LOST_THERE=$(number relay lost 1) OF_THERE=$(number relay sent 1)
LOST_BACK=$(number relay lost 2) OF_BACK=$(number relay sent 2)
DETECTED=$(number send packets_lost)
SPURIOUS=$(number send spurious_losses)
AGAIN=$(number send stream_bytes_retransmitted)

say ""
row "file" "$SIZE_KIB KiB, random"
row "time" "$((MICROS / 1000)) ms"
row "goodput" "$((SIZE_KIB * 1024 * 8 * 1000 / MICROS)) kbit/s"
row "datagrams from sender / receiver" "$SENT / $ACKS"
row "lost by the link, there" "$LOST_THERE of $OF_THERE"
row "lost by the link, back" "$LOST_BACK of $OF_BACK"
row "losses the sender detected" "$DETECTED (spurious: $SPURIOUS)"
row "bytes sent again" "$AGAIN"
row "SHA-256 sent" "$SENT_HASH"
row "SHA-256 received" "$RECEIVED_HASH"
[[ $SENT_HASH == "$RECEIVED_HASH" ]] || failed "the received file differs"
say "  the file arrived bit for bit"
