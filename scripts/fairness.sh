#!/usr/bin/env bash
# Shares a bottleneck between sessions of our own, and with the kernel's TCP, on real sockets.
#
# usage: ./scripts/fairness.sh [--seconds N] [--rate MBIT] [--queue PACKETS] [--rounds N]
#   --seconds N      length of each measurement, after five seconds to settle (60)
#   --rate MBIT      rate of the bottleneck in Mbit/s (10)
#   --queue PACKETS  its queue, drop-tail (25)
#   --rounds N       how often each part is measured (3)
#   --help           this text
#
# Three network namespaces in a row, MTU 1228, so that all send packets of the same size; the one between the hosts has
# tbf with a pfifo of so many packets toward the receiver. Not on the sender itself: there the kernel keeps its own TCP
# from filling the queue, and nothing else. The round trip is what the full queue makes it (30 ms at the defaults).
# Four sessions of `udpsec` first: Jain's index must be 0.95 at least. Then one beside iperf3 over TCP Reno: 35 to 65 %
# of the two must be ours. Last beside CUBIC: shown, not judged. The median of the rounds is what counts.
#
# Needs root, iproute2 and iperf3; without them it says so and ends well. Everything is left in artifacts/fairness/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SECONDS_EACH=60 RATE=10 QUEUE=25 ROUNDS=3
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --seconds | --rate | --queue | --rounds)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number above 0"
      case $1 in
        --seconds) SECONDS_EACH=$2 ;;
        --rate) RATE=$2 ;;
        --queue) QUEUE=$2 ;;
        --rounds) ROUNDS=$2 ;;
      esac
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

skip() {
  say "skipped: fairness on real sockets ($1)"
  exit 0
}
[[ $EUID -eq 0 ]] || skip "needs root for network namespaces"
for tool in ip tc iperf3; do have "$tool" || skip "$tool is not installed"; done

cd "$ROOT"
say "building (release)"
cargo build --locked --release --quiet -p udp-sec-tool
UDPSEC=${CARGO_TARGET_DIR:-$ROOT/target}/release/udpsec
OUT=$ROOT/artifacts/fairness/$(date -u +%Y-%m-%dT%H-%M-%SZ)
mkdir -p "$OUT"

# Namespaces of our own; whatever runs in them ends with the script.
FROM=udpsec-from-$$ BETWEEN=udpsec-between-$$ TO=udpsec-to-$$
PIDS=()
stop() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
  PIDS=()
}
leave() {
  local space pid
  for space in "$FROM" "$BETWEEN" "$TO"; do
    for pid in $(ip netns pids "$space" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    ip netns delete "$space" 2>/dev/null || true
  done
  rm -f "$OUT"/*.key
}
trap leave EXIT
ip netns add "$FROM" 2>/dev/null || skip "network namespaces cannot be made here"
ip netns add "$BETWEEN"
ip netns add "$TO"
# wire SPACE NETWORK: joins a host to the namespace between, on a network of its own.
wire() {
  local space=$1 network=$2
  ip -n "$space" link add wire mtu 1228 type veth peer name "to-$network" mtu 1228 netns "$BETWEEN"
  ip -n "$space" address add "10.99.$network.2/24" dev wire
  ip -n "$BETWEEN" address add "10.99.$network.1/24" dev "to-$network"
  ip -n "$space" link set wire up
  ip -n "$BETWEEN" link set "to-$network" up
  ip -n "$space" route add default via "10.99.$network.1"
}
wire "$FROM" 1
wire "$TO" 2
ip netns exec "$BETWEEN" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
# A burst below two packets makes tbf cut what segmentation offload has joined, so that the queue counts packets.
ip netns exec "$BETWEEN" tc qdisc add dev to-2 root handle 1: tbf rate "${RATE}mbit" burst 2000 limit 1000000
ip netns exec "$BETWEEN" tc qdisc add dev to-2 parent 1: handle 10: pfifo limit "$QUEUE"

for side in from to; do "$UDPSEC" keygen --out "$OUT/$side.key" &>"$OUT/$side.public"; done
FROM_KEY=$("$UDPSEC" pubkey --key "$OUT/from.key") TO_KEY=$("$UDPSEC" pubkey --key "$OUT/to.key")

# session PORT: zeros through a session; COUNTER is the process that reads them at the other end.
session() {
  local port=$1
  mkfifo "$OUT/pipe-$port"
  wc -c <"$OUT/pipe-$port" >/dev/null &
  COUNTER=$!
  PIDS+=("$COUNTER")
  ip netns exec "$TO" "$UDPSEC" listen --key "$OUT/to.key" --allow "$FROM_KEY" --listen "10.99.2.2:$port" \
    --transport udp-sec >"$OUT/pipe-$port" 2>"$OUT/listen-$port.log" </dev/null &
  PIDS+=("$!")
  sleep 0.5
  ip netns exec "$FROM" "$UDPSEC" connect --key "$OUT/from.key" --peer "$TO_KEY" --transport udp-sec \
    "10.99.2.2:$port" </dev/zero >/dev/null 2>"$OUT/connect-$port.log" &
  PIDS+=("$!")
  rm "$OUT/pipe-$port"
}

# received PID: bytes that a process has read.
received() { awk '/^rchar/ { print $2 }' "/proc/$1/io"; }

# measured PID…: bytes that each has read in SECONDS_EACH, after five seconds to settle.
measured() {
  sleep 5
  local pid before=()
  for pid in "$@"; do before+=("$(received "$pid")"); done
  sleep "$SECONDS_EACH"
  for pid in "$@"; do
    say $(($(received "$pid") - before[0]))
    before=("${before[@]:1}")
  done
}

own_flows() {
  local round=$1 counters=() flow
  for flow in 1 2 3 4; do
    session $((4000 + 10 * round + flow))
    counters+=("$COUNTER")
  done
  measured "${counters[@]}" >"$OUT/own-$round.txt"
  stop
  awk '{ sum += $1; squares += $1 * $1; all = all " " $1 } END { printf "%.3f%s\n", sum * sum / (NR * squares), all }' \
    "$OUT/own-$round.txt"
}

beside_tcp() {
  local control=$1 round=$2 ours theirs
  local base=$((5000 + 10 * round))
  ip netns exec "$TO" iperf3 -s -1 -p "$base" >"$OUT/$control-$round-server.log" 2>&1 &
  PIDS+=("$!")
  session $((base + 1))
  # Both begin now, and are measured over the same time.
  ip netns exec "$FROM" iperf3 -c 10.99.2.2 -p "$base" -C "$control" -O 5 -t "$SECONDS_EACH" -f k \
    >"$OUT/$control-$round.log" 2>&1 &
  PIDS+=("$!")
  ours=$(measured "$COUNTER")
  wait "${PIDS[-1]}" || die "iperf3 failed: $(tail -n 1 "$OUT/$control-$round.log")"
  stop
  theirs=$(awk '$NF == "receiver" { print $(NF - 2) }' "$OUT/$control-$round.log")
  awk -v ours="$ours" -v theirs="$theirs" -v seconds="$SECONDS_EACH" 'BEGIN {
    ours = ours * 8 / seconds / 1000
    printf "%.1f %d %d\n", 100 * ours / (ours + theirs), ours, theirs
  }'
}

# repeated PART…: the part once for each round; prints what each said, and leaves the median of the first column.
repeated() {
  local round line figures=()
  for ((round = 1; round <= ROUNDS; round++)); do
    line=$("$@" "$round")
    say "  round $round: $line"
    figures+=("${line%% *}")
  done
  MEDIAN=$(printf '%s\n' "${figures[@]}" | sort -n | sed -n "$(((ROUNDS + 1) / 2))p")
}

between() { awk -v it="$1" -v least="$2" -v most="$3" 'BEGIN { exit !(it >= least && it <= most) }'; }

say "load average $(cut -d ' ' -f 1-3 /proc/loadavg), $RATE Mbit/s, queue of $QUEUE packets, $SECONDS_EACH s each"
failed=no
say "four sessions: Jain's index, then bytes of each"
repeated own_flows
say "  median $MEDIAN (at least 0.95)"
between "$MEDIAN" 0.95 1 || failed=yes
for control in reno cubic; do
  say "one session beside TCP $control: our share in percent, our and its kbit/s"
  repeated beside_tcp "$control"
  if [[ $control == reno ]]; then
    say "  median $MEDIAN % (35 to 65)"
    between "$MEDIAN" 35 65 || failed=yes
  else
    say "  median $MEDIAN % (20 to 80 hoped for)"
  fi
done
[[ $failed == no ]] || die "not shared fairly; logs are in ${OUT#"$ROOT"/}"
