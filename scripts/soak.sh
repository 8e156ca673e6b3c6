#!/usr/bin/env bash
# Long runs of the simulator: the integrity grid with many seeds, then random scenarios until the time is up.
#
# usage: ./scripts/soak.sh [--seeds N] [--minutes M] [--from SEED]
#        ./scripts/soak.sh --replay SEED
#   --seeds N      runs of each cell of the grid (100, about five minutes on two cores); 0 leaves the grid out
#   --minutes M    length of the random part (10); every impairment, profile, size and start of the clock
#   --from SEED    first seed of the random part (the seconds of the clock, so that each soak is another)
#   --replay SEED  plays one random scenario again, with its whole report
#   --help         this text
#
# Every invariant is checked after every step. A failure prints its scenario and how to play it again; the exit
# status is then not 0. At the end stands how much time was simulated for each real hour.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SEEDS=100
MINUTES=10
FROM=
REPLAY=
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --seeds | --minutes | --from | --replay)
      (($# > 1)) || die "$1 needs a value"
      [[ $2 =~ ^[0-9]+$ ]] || die "$1 needs a number, not '$2'"
      case $1 in
        --seeds) SEEDS=$2 ;;
        --minutes) MINUTES=$2 ;;
        --from) FROM=$2 ;;
        --replay) REPLAY=$2 ;;
      esac
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

cd "$ROOT"
# Optimised, with debug assertions and overflow checks: that is the profile of the tests.
soak() { cargo run --locked --quiet --package harness --bin soak --profile test -- "$@"; }

if [[ -n $REPLAY ]]; then
  soak --replay "$REPLAY"
  exit
fi
if ((SEEDS > 0)); then
  say "the integrity grid, $SEEDS runs of each cell"
  HARNESS_SEEDS=$SEEDS cargo test --locked --quiet --package harness --test grid -- --nocapture
fi
if ((MINUTES > 0)); then
  say "random scenarios for $MINUTES minutes"
  soak --minutes "$MINUTES" --from "${FROM:-$(date +%s)}"
fi
