#!/usr/bin/env bash
# Long runs of the simulator: random networks, hosts and faults until the time is up, every invariant at every step.
#
# usage: ./scripts/soak.sh [--seconds S] [--seeds N] [--seed FIRST] [--jobs J] [--grid N] [--healing N]
#        ./scripts/soak.sh --replay SEED
#   --seconds S    length of the random part (600); 0 with --seeds: until they are through
#   --seeds N      plans of the random part (0: no bound)
#   --seed FIRST   its first seed (the seconds of the clock, so that each soak is another)
#   --jobs J       plans played at once (one for each processor)
#   --grid N       before that, N runs of each cell of the integrity grid (0; 100 take about five minutes)
#   --healing N    before that, N networks that were bad and heal (0; 100000 take about five minutes of two processors)
#   --replay SEED  plays one random plan again, with what came of it and its trace
#   --help         this text
#
# A run that breaks an invariant prints what it was and how to play it again, and the others go on; the exit status is
# then not 0. At the end stands how much time was simulated for each real hour, counting only runs that delivered at
# least 100 KiB in each 30 s.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SOAK=() GRID=0 HEALING=0 REPLAY='' FIRST=''
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --seconds | --seeds | --seed | --jobs | --grid | --healing | --replay)
      (($# > 1)) || die "$1 needs a value"
      [[ $2 =~ ^[0-9]+$ ]] || die "$1 needs a number, not '$2'"
      case $1 in
        --grid) GRID=$2 ;;
        --healing) HEALING=$2 ;;
        --replay) REPLAY=$2 ;;
        --seed) FIRST=$2 ;;
        *) SOAK+=("$1" "$2") ;;
      esac
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

cd "$ROOT"
# With debug assertions and overflow checks as in tests, and as fast as this processor can: that is the profile `soak`.
# Packets are sealed by the fastest implementation there is; the bytes are the same with each.
FEATURES=(--features udp-sec/ring)
soak() {
  RUSTFLAGS="${RUSTFLAGS:-} -C target-cpu=native" \
    cargo run --locked --quiet --package harness --bin soak --profile soak "${FEATURES[@]}" -- "$@"
}
suite() {
  local seeds=$1 name=$2
  HARNESS_SEEDS=$seeds cargo test --locked --quiet --package harness --test "$name" "${FEATURES[@]}" -- --nocapture
}

if [[ -n $REPLAY ]]; then
  soak --replay "$REPLAY"
  exit
fi
if ((GRID > 0)); then
  say "the integrity grid, $GRID runs of each cell"
  suite "$GRID" grid
fi
if ((HEALING > 0)); then
  say "$HEALING networks that heal"
  suite "$HEALING" healing
fi
say "random plans"
soak --seed "${FIRST:-$(date +%s)}" "${SOAK[@]}"
