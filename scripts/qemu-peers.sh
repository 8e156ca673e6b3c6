#!/usr/bin/env bash
# Sets udp-sec beside smoltcp's TCP: a bulk transfer from one QEMU guest to another over a link that loses frames.
#
# usage: ./scripts/qemu-peers.sh [option...]
#   --seeds N        how often every row runs, each time with other losses (5)
#   --parallel N     rows of one seed that run at once (2)
#   --bytes N        bytes of a transfer (2097152)
#   --loss PERCENT   frames lost each way (5)
#   --limit SECONDS  longest that a transfer may take (300)
#   --sizes          only the sizes of images with one transport, or none
#   --help           this text
#
# The rows: udp-sec with the profiles Small and Medium, and level with each of them in memory: smoltcp's TCP as it comes
# (no congestion control), with Reno, with CUBIC, and secure TCP over it with Reno. 10 Mbit/s, round trip 20 ms, 25
# frames of queue, packets of 1228 bytes. Guests run in real time: let the machine do nothing else.
#
# smoltcp 0.14's CUBIC calls two functions of floats that `core` lacks, so it builds only where there is `std`. For its
# rows the sources are copied, and these two functions added; nothing else is changed, and no other row has it.
#
# Results: artifacts/qemu-peers/<time>/peers.txt and peers.json, logs of every guest; image sizes in sizes.txt.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

OPTIONS=()
ONLY_SIZES=
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --sizes)
      ONLY_SIZES=1
      shift
      ;;
    --seeds | --parallel | --bytes | --loss | --limit)
      (($# > 1)) || die "$1 needs a value"
      OPTIONS+=("$1=$2")
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done

cd "$ROOT"
QEMU=${QEMU:-qemu-system-riscv64}
[[ -n $ONLY_SIZES ]] || have "$QEMU" || die "no $QEMU here (Debian: apt-get install qemu-system-misc)"
have size || die "no 'size' here (Debian: apt-get install binutils)"
BIN=${CARGO_TARGET_DIR:-$ROOT/target}
mkdir -p "$BIN"
BIN=$(cd "$BIN" && pwd)
OUT=$ROOT/artifacts/qemu-peers/$(date -u +%Y-%m-%dT%H-%M-%SZ)
IMAGES=$BIN/qemu-peers-images
SOURCES=$BIN/qemu-peers-sources
mkdir -p "$OUT" "$IMAGES"

# image NAME FEATURES [cargo's options…]: builds an image with these transports.
image() {
  local name=$1 features=$2
  shift 2
  (cd tests/qemu-guest && cargo_riscv build --quiet --release --locked --bin peers --features "$features" "$@")
  cp "$BIN/riscv/$BARE_METAL_TARGET/release/peers" "$IMAGES/$name"
}

# Copies the sources of all dependencies, and gives CUBIC what `core` lacks.
cubic_sources() {
  rm -rf "$SOURCES"
  cargo vendor --quiet --locked --versioned-dirs --manifest-path tests/qemu-guest/Cargo.toml "$SOURCES" >/dev/null
  local smoltcp=("$SOURCES"/smoltcp-*)
  cat >>"${smoltcp[0]}/src/socket/tcp/congestion/cubic.rs" <<'RUST'

trait Float {
    fn powi(self, exponent: u32) -> f64;
    fn mul_add(self, factor: f64, term: f64) -> f64;
}

impl Float for f64 {
    fn powi(self, exponent: u32) -> f64 {
        (0..exponent).fold(1.0, |product, _| product * self)
    }

    fn mul_add(self, factor: f64, term: f64) -> f64 {
        self * factor + term
    }
}
RUST
  # The copy is no longer what the registry has; the package's own checksum, which the lock file names, stays.
  sed -i 's/"files":{[^}]*}/"files":{}/' "${smoltcp[0]}/.cargo-checksum.json"
}

say "building the guests, the link and what measures them ..."
cubic_sources
CUBIC=(--config 'source.crates-io.replace-with="copied"' --config "source.copied.directory=\"$SOURCES\"")
image none peers
image udp-sec peer-udp-sec
image tcp-reno peer-tcp
image tcp-cubic peer-cubic "${CUBIC[@]}"
image secure-tcp peer-secure-tcp
for name in none udp-sec tcp-reno tcp-cubic secure-tcp; do
  size -A "$IMAGES/$name" | awk -v name="$name" '
    $1 == ".text" || $1 == ".rodata" { bytes += $2 }
    END { printf "%-12s .text + .rodata %7d bytes\n", name, bytes }'
done | awk '
  NR == 1 { none = $5 }
  { printf "%s, %6d more than without a transport\n", $0, $5 - none }' | tee "$OUT/sizes.txt"
[[ -z $ONLY_SIZES ]] || exit 0

ALL=peer-udp-sec,peer-tcp,peer-secure-tcp
image peers-small "$ALL"
image peers-medium "$ALL,medium"
image peers-small-cubic peer-cubic "${CUBIC[@]}"
image peers-medium-cubic peer-cubic,medium "${CUBIC[@]}"
cargo build --quiet --locked --profile test -p lossy-link -p qemu-peers

# Its guests end with it when the terminal interrupts them all, and by their own limit otherwise.
"$BIN/debug/qemu-peers" \
  --qemu "$(command -v "$QEMU")" \
  --images "$IMAGES" \
  --relay "$BIN/debug/ether-relay" \
  --out "$OUT" \
  "${OPTIONS[@]+"${OPTIONS[@]}"}"
