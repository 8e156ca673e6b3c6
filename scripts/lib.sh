# shellcheck shell=bash
# What the scripts share: messages, step timing, and the choice of bare-metal toolchain. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT

BARE_METAL_TARGET=riscv64imac-unknown-none-elf
# The libraries that must build without an operating system, lowest layer first.
LIBRARY_CRATES=(udp-sec udp-sec-recovery nexus-net-adapter)
export BARE_METAL_TARGET LIBRARY_CRATES

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment block at the top of a script, which is its manual.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$1"; }

# step NAME COMMAND…: runs the command with its output in LOG_DIR (the caller has set it, and STEPS), a line
# before and after, and a sign of life every STEP_SIGN seconds (30). On failure the end of the output is shown and
# the script ends. The job runs in the background because `set -e` would not hold in it otherwise, and in a
# process group of its own so that an interrupt ends all of it.
step() {
  local name=$1 total=${STEPS:?}
  shift
  STEP=$((${STEP:-0} + 1))
  local log started elapsed status=0
  log="$LOG_DIR/$(printf '%02d' "$STEP")-${name//[^a-zA-Z0-9]/-}.log"
  started=$SECONDS
  printf '[%d/%d] %s\n' "$STEP" "$total" "$name"
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  local job=$!
  set +m
  # shellcheck disable=SC2064 # the job of now is meant
  trap "kill -- -$job 2>/dev/null || true; exit 130" INT TERM
  while sleep 1 && kill -0 "$job" 2>/dev/null; do
    elapsed=$((SECONDS - started))
    if ((elapsed % ${STEP_SIGN:-30} == 0)); then
      printf '        %3d s  %s\n' "$elapsed" "$(tail -n 1 "$log" | cut -c 1-90)"
    fi
  done
  wait "$job" || status=$?
  trap - INT TERM
  elapsed=$((SECONDS - started))
  if ((status != 0)); then
    tail -n 80 "$log" >&2
    die "step '$name' failed after $elapsed s; the whole output is in ${log#"$ROOT"/}"
  fi
  printf '        ok, %d s\n' "$elapsed"
}

# patiently COMMAND…: runs it in the foreground, where it may ask for a password, with a sign of life every 8 s.
# Without `||`, which would switch `set -e` off in the command; the ticker also ends when the script has.
patiently() {
  local started=$SECONDS ticker status
  (while sleep 8 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do say "        ... $((SECONDS - started)) s"; done) &
  ticker=$!
  "$@"
  status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  return "$status"
}

# work_in_background: makes WORK, a folder for this run. When the script ends, the folder goes, and so does what the
# script has started and is still running; nothing else.
work_in_background() {
  WORK=$(mktemp -d)
  trap end_background_work EXIT
  trap 'exit 130' INT TERM
}
end_background_work() {
  local pid
  for pid in $(jobs -pr); do kill "$pid" 2>/dev/null || true; done
  rm -rf "$WORK"
}

# address_of LOG PREFIX: the address that a process announces after PREFIX in its log, at most 10 s from now; fails if
# it does not.
address_of() {
  local found tries
  for ((tries = 0; tries < 100; tries++)); do
    found=$(sed -n "s/^.*$2 \([^ ]*\).*$/\1/p" "$1" 2>/dev/null | head -n 1)
    if [[ -n $found ]]; then
      printf '%s' "$found"
      return
    fi
    sleep 0.1
  done
  warn "no '$2 ADDRESS' within 10 s: $(tail -n 3 "$1")"
  return 1
}

# Builds what scripts/qemu-test.sh runs: the guest; the link, the host's end and the judge, as the tests are built, so
# that what they have compiled already is used; and what decodes logs and draws pictures.
build_qemu_runs() {
  (cd "$ROOT/tests/qemu-guest" && cargo_riscv build --release --locked)
  cargo build --locked --profile test -p lossy-link -p qemu-run -p ladder --features ladder/host
  cargo build --locked --release --manifest-path "$ROOT/tests/qemu-run/report/Cargo.toml"
}

# A newer Rust of the distribution may live beside a rustup toolchain; it is the one with the library sources.
SYSTEM_RUSTC=${SYSTEM_RUSTC:-/usr/bin/rustc}

# How the bare-metal target can be built here: `target` (its standard library is installed),
# `build-std` (the distribution's compiler and library sources), or `none`.
riscv_route() {
  if [[ -n ${UDPSEC_RISCV_ROUTE:-} ]]; then
    say "$UDPSEC_RISCV_ROUTE"
  elif have rustc && [[ -d $(cd "$ROOT" && rustc --print sysroot)/lib/rustlib/$BARE_METAL_TARGET/lib ]]; then
    say target
  elif [[ -x $SYSTEM_RUSTC && -f $("$SYSTEM_RUSTC" --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml ]]; then
    say build-std
  else
    say none
  fi
}

# `cargo_riscv build -p CRATE …`: cargo for the bare-metal target, whichever toolchain provides it.
# Its own target directory keeps the two compilers from discarding each other's work.
cargo_riscv() {
  local subcommand=$1 target_dir=${CARGO_TARGET_DIR:-$ROOT/target}/riscv
  shift
  case $(riscv_route) in
    target)
      CARGO_TARGET_DIR=$target_dir cargo "$subcommand" --target "$BARE_METAL_TARGET" "$@"
      ;;
    build-std)
      # Stable compilers accept `-Z build-std` only with this switch; nothing else unstable is used.
      RUSTC=$SYSTEM_RUSTC RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target_dir cargo "$subcommand" \
        -Z build-std=core,alloc,compiler_builtins -Z build-std-features=compiler-builtins-mem \
        --target "$BARE_METAL_TARGET" "$@"
      ;;
    *) die "no toolchain for $BARE_METAL_TARGET: run ./scripts/setup.sh" ;;
  esac
}
