#!/usr/bin/env bash
# Fuzzes every target of tests/fuzz for a while, as many at once as there are processors.
#
# usage: ./scripts/fuzz.sh [SECONDS] [--only TARGET]… [--seed N] [--minimise] [--sanitizer NAME]
#        ./scripts/fuzz.sh --replay TARGET FILE
#        ./scripts/fuzz.sh --can-run
#   SECONDS           for each target (60)
#   --only TARGET     this target, and others so named
#   --seed N          where the fuzzer's own choices begin: the same again (0: another each time, which finds more)
#   --minimise        afterwards, the committed corpora become the smallest that cover as much as what was found
#   --sanitizer NAME  `address`, for instance; without one (none) building and running take half as long
#   --replay T FILE   runs target T on FILE, with its panic shown; needs no fuzzer
#   --can-run         says what is missing to fuzz here, and exits with 1 if anything is
#   --help            this text
#
# Needs the nightly toolchain, cargo-fuzz (./scripts/setup.sh --with-fuzz) and a C++ compiler. Starts from the
# committed corpora and the seeds, goes on from what earlier runs have found (target/fuzz/corpus), and leaves an
# input that breaks a property in tests/fuzz/artifacts. Exit status 1 then. docs/testing.md says what each target
# asserts.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SPAN=60
ONLY=()
MINIMISE=no
SANITIZER=none
SEED=0
MODE=fuzz
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --can-run) MODE=can-run ;;
    --minimise) MINIMISE=yes ;;
    --only | --sanitizer | --seed)
      (($# > 1)) || die "$1 needs a value"
      case $1 in
        --only) ONLY+=("$2") ;;
        --sanitizer) SANITIZER=$2 ;;
        --seed) SEED=$2 ;;
      esac
      shift
      ;;
    --replay)
      (($# == 3)) || die "--replay needs a target and a file"
      MODE=replay
      TARGET=$2
      # Paths are the caller's; what follows runs at the root.
      FILE=$(realpath "$3")
      shift 2
      ;;
    *)
      [[ $1 =~ ^[0-9]+$ ]] || die "unknown argument '$1' (try --help)"
      SPAN=$1
      ;;
  esac
  shift
done

cd "$ROOT"
FUZZ=tests/fuzz
DRIVERS=$FUZZ/libfuzzer

missing() {
  { have rustup && rustup run nightly rustc --version >/dev/null 2>&1; } || say "no nightly toolchain"
  have cargo-fuzz || say "cargo-fuzz is not installed"
  have c++ || say "no C++ compiler"
}

case $MODE in
  can-run)
    MISSING=$(missing)
    [[ -z $MISSING ]] || die "$(tr '\n' ';' <<<"$MISSING") see ./scripts/setup.sh --with-fuzz"
    exit 0
    ;;
  replay)
    cargo run --locked --quiet --package fuzz --bin replay --profile test -- "$TARGET" "$FILE"
    exit
    ;;
esac
MISSING=$(missing)
[[ -z $MISSING ]] || die "$(tr '\n' ';' <<<"$MISSING") see ./scripts/setup.sh --with-fuzz"

mapfile -t TARGETS < <(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' "$DRIVERS/Cargo.toml")
for name in "${ONLY[@]}"; do
  [[ " ${TARGETS[*]} " == *" $name "* ]] || die "no target '$name'; there are: ${TARGETS[*]}"
done
((${#ONLY[@]} == 0)) || TARGETS=("${ONLY[@]}")

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}/fuzz
FOUND=$CARGO_TARGET_DIR/corpus
LOGS=$CARGO_TARGET_DIR/logs
mkdir -p "$FOUND" "$LOGS" "$FUZZ/artifacts"

say "building ${#TARGETS[@]} targets"
# The nightly compiler for what is fuzzed, whatever a `rust-toolchain` or an environment says.
cargo +nightly fuzz build --fuzz-dir "$DRIVERS" --no-trace-compares --sanitizer "$SANITIZER" 2>"$LOGS/build.log" ||
  { tail -n 40 "$LOGS/build.log" >&2 && die "the targets do not build"; }
PROGRAMS=$CARGO_TARGET_DIR/$(rustup run nightly rustc -vV | sed -n 's/^host: //p')/release
CARGO_TARGET_DIR=${CARGO_TARGET_DIR%/fuzz} \
  cargo run --locked --quiet --package fuzz --bin seeds --profile test -- "$FOUND/seeds"

# fuzz_one TARGET: fuzzes it with its output in a log; a line about it at the end.
fuzz_one() {
  local name=$1 log="$LOGS/$1.log" status=0
  mkdir -p "$FOUND/$name" "$FUZZ/artifacts/$name"
  "$PROGRAMS/$name" -seed="$SEED" -max_total_time="$SPAN" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$FUZZ/artifacts/$name/" "$FOUND/$name" "$FUZZ/corpus/$name" "$FOUND/seeds/$name" \
    >"$log" 2>&1 </dev/null || status=$?
  local runs edges inputs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  read -r edges inputs < <(sed -n 's|.* cov: \([0-9]*\) .* corp: \([0-9]*\)/.*|\1 \2|p' "$log" | tail -n 1) || true
  printf '%-12s %10s runs  %6s edges  %6s inputs  %s\n' "$name" "${runs:-?}" "${edges:-?}" "${inputs:-?}" \
    "$( ((status == 0)) && echo ok || echo FAILED)"
  ((status == 0)) || return 1
}

# A failed target does not keep the others from being fuzzed.
FAILED=()
JOBS=$(nproc)
declare -A NAME_OF
reap() {
  local pid status=0
  wait -n -p pid || status=$?
  ((status == 0)) || FAILED+=("${NAME_OF[$pid]}")
}
running=0
trap 'kill $(jobs -pr) 2>/dev/null || true; exit 130' INT TERM
for name in "${TARGETS[@]}"; do
  if ((running >= JOBS)); then
    reap
    running=$((running - 1))
  fi
  fuzz_one "$name" &
  NAME_OF[$!]=$name
  running=$((running + 1))
done
for ((; running > 0; running--)); do reap; done
trap - INT TERM

for name in "${FAILED[@]}"; do
  grep -A 3 -m 1 'panicked at\|ERROR: libFuzzer' "$LOGS/$name.log" >&2 || tail -n 5 "$LOGS/$name.log" >&2
  input=$(sed -n 's/.*Test unit written to //p' "$LOGS/$name.log" | tail -n 1)
  warn "to see it again: ./scripts/fuzz.sh --replay $name ${input:-of $LOGS/$name.log}"
done
((${#FAILED[@]} == 0)) || exit 1

if [[ $MINIMISE == yes ]]; then
  HASH_NAME=$(printf '[0-9a-f]%.0s' {1..40})
  for name in "${TARGETS[@]}"; do
    SMALL=$(mktemp -d)
    "$PROGRAMS/$name" -set_cover_merge=1 -use_counters=0 \
      "$SMALL" "$FUZZ/corpus/$name" "$FOUND/seeds/$name" "$FOUND/$name" \
      >"$LOGS/$name-minimise.log" 2>&1 || die "the corpus of $name cannot be minimised: see $LOGS"
    # What has a name stays: seeds, and inputs that once broke a property. The fuzzer names its own by a hash.
    find "$FUZZ/corpus/$name" -type f ! -name 'seed-*' ! -name "${HASH_NAME:?}" -exec cp {} "$SMALL" \;
    cp "$FOUND/seeds/$name"/* "$SMALL"
    rm -rf "${FUZZ:?}/corpus/$name"
    mv "$SMALL" "$FUZZ/corpus/$name"
    chmod 755 "$FUZZ/corpus/$name"
    say "$name: $(find "$FUZZ/corpus/$name" -type f | wc -l) inputs"
  done
fi
