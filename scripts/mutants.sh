#!/usr/bin/env bash
# Changes the pieces that decide, one operator, condition or result at a time (cargo-mutants), and asks their unit
# tests whether they notice.
#
# usage: ./scripts/mutants.sh [--list] [PIECE…]
#   PIECE    wire, replay, rtt, loss, pto, persistent, newreno, ranges, credit (all of them)
#   --list   print the mutants, run nothing
#   --help   this text
#
# A mutant is judged by the tests of its own piece alone. One that survives must be in tests/mutants/survivors.txt
# with the reason why no test can or need notice it, and survivors may be at most 2 % of what compiles. One that never
# ends counts as noticed. Everything is in target/mutants/: the copy that is changed, what is compiled, all outputs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Crate and module of each piece; the last name of the module is the name of the piece.
PIECES=(
  "udp-sec wire"
  "udp-sec session::replay"
  "udp-sec-recovery send::rtt"
  "udp-sec-recovery send::loss"
  "udp-sec-recovery send::pto"
  "udp-sec-recovery send::persistent"
  "udp-sec-recovery send::congestion::newreno"
  "udp-sec-recovery recv::ranges"
  "udp-sec-recovery recv::credit"
)
SURVIVORS_MAX_PERCENT=2
REVIEWED=$ROOT/tests/mutants/survivors.txt

LIST=no
WANTED=()
for argument in "$@"; do
  case $argument in
    --list) LIST=yes ;;
    --help | -h)
      usage "$0"
      exit 0
      ;;
    *)
      [[ " ${PIECES[*]##*[: ]} " == *" $argument "* ]] || die "unknown argument '$argument' (try --help)"
      WANTED+=("$argument")
      ;;
  esac
done
if ! have cargo-mutants; then
  say "skipped: cargo-mutants is not installed (./scripts/setup.sh --with-mutants)"
  exit 0
fi

WORK=${CARGO_TARGET_DIR:-$ROOT/target}/mutants
mkdir -p "$WORK"
WORK=$(cd "$WORK" && pwd)
TREE=$WORK/tree
# Only one function differs from one build to the next.
export CARGO_TARGET_DIR=$WORK/build CARGO_INCREMENTAL=1 CARGO_TERM_COLOR=never
# Property tests draw the same cases in every run, and remember nothing of one mutant when they meet the next.
export PROPTEST_RNG_SEED=1 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1 PROPTEST_MAX_SHRINK_ITERS=0
export LC_ALL=C

# A copy always in the same place, so that what was compiled for one piece serves the next. Its files are as new as
# the copy: with their old times cargo would take the last mutant of the last run for what is in them.
copy_tree() {
  rm -rf "$TREE"
  mkdir "$TREE"
  tar -C "$ROOT" --exclude=.git --exclude=target --exclude=artifacts -c . | tar -C "$TREE" -x -m
}

# mutants CRATE MODULE ARGUMENT…: cargo-mutants on the files of the module.
mutants() {
  local files=$1/src/${2//:://}
  shift 2
  cargo mutants --dir "$TREE" --in-place --colors never --file "$files.rs" --file "$files/**" "$@"
}

# test_piece CRATE MODULE: exit status 2 of cargo-mutants says that mutants survived, 3 that some never ended.
test_piece() {
  local status=0 out=$WORK/${2##*:}
  mutants "$1" "$2" --profile mutants --cargo-arg=--locked --cargo-arg=--lib --minimum-test-timeout 60 \
    --output "$out" -- -- "$2::" >"$out.log" 2>&1 || status=$?
  if ((status != 0 && status != 2 && status != 3)); then
    tail -n 40 "$out.log" >&2
    die "cargo-mutants failed on ${2##*:}"
  fi
}

# outcome KIND PIECE…: the mutants that were so, without the line and column where they are.
outcome() {
  local kind=$1 piece
  shift
  for piece in "$@"; do
    sed -E 's/^([^:]+):[0-9]+:[0-9]+: /\1: /' "$WORK/$piece/mutants.out/$kind.txt"
  done | sort
}

count() { outcome "$@" | wc -l; }

row() { printf '%-12s%9s%9s%9s%9s%8s\n' "$@"; }

row_of() {
  local name=$1 started=$2
  shift 2
  row "$name" "$(count caught "$@")" "$(count timeout "$@")" "$(count missed "$@")" "$(count unviable "$@")" \
    "$((SECONDS - started)) s"
}

copy_tree
[[ $LIST == yes ]] || row piece noticed endless survived invalid time
RAN=()
for piece in "${PIECES[@]}"; do
  read -r crate module <<<"$piece"
  name=${module##*:}
  ((${#WANTED[@]} == 0)) || [[ " ${WANTED[*]} " == *" $name "* ]] || continue
  if [[ $LIST == yes ]]; then
    mutants "$crate" "$module" --list
    continue
  fi
  started=$SECONDS
  test_piece "$crate" "$module"
  RAN+=("$name")
  row_of "$name" "$started" "$name"
done
[[ $LIST == no ]] || exit 0
row_of total 0 "${RAN[@]}"

reviewed() { sed 's/ *#.*//; /^$/d' "$REVIEWED" | sort; }
unexpected=$(comm -23 <(outcome missed "${RAN[@]}") <(reviewed))
outdated=$(comm -13 <(outcome missed "${RAN[@]}") <(reviewed))
[[ -z $unexpected ]] || warn "survived, and nobody has said why that is right:"$'\n'"$unexpected"
# Of the pieces that did not run nothing is known.
if ((${#WANTED[@]} == 0)) && [[ -n $outdated ]]; then
  die "no longer survive, take them off ${REVIEWED#"$ROOT"/}:"$'\n'"$outdated"
fi
missed=$(count missed "${RAN[@]}")
viable=$((missed + $(count caught "${RAN[@]}") + $(count timeout "${RAN[@]}")))
((missed * 100 <= viable * SURVIVORS_MAX_PERCENT)) ||
  die "$missed of $viable mutants survived, more than $SURVIVORS_MAX_PERCENT %"
[[ -z $unexpected ]] || die "new survivors: write the test, or say in ${REVIEWED#"$ROOT"/} why there is none"
say "ok: $missed of $viable mutants survived, each with a reason"
