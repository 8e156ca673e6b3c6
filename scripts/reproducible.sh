#!/usr/bin/env bash
# Builds twice, from two copies of the committed tree in two folders, and compares what comes of it byte for byte.
#
# usage: ./scripts/reproducible.sh [guest] [tool]
#   guest   the bare-metal guest for QEMU (needs the target of riscv64)
#   tool    `udpsec`, release build
#           both unless named
#   --help  this text
#
# The folder of the sources and that of the downloaded crates are taken out of what the compiler records
# (--remap-path-prefix): whoever builds the same commit with the same compiler that way should have the same program.
# Uses half a gigabyte in a temporary folder, and takes as long as two builds from nothing. Programs that differ are
# left in artifacts/reproducible/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PARTS=()
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    guest | tool) PARTS+=("$1") && shift ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done
((${#PARTS[@]})) || PARTS=(guest tool)
have git || die "git is needed"
have cargo || die "no cargo here: run ./scripts/setup.sh first"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM
CRATES=${CARGO_HOME:-$HOME/.cargo}

# build PART FOLDER: builds a copy of the tree in that folder; the program is FOLDER.PART then.
build() (
  local part=$1 folder=$WORK/$2
  mkdir -p "$folder"
  git -C "$ROOT" archive HEAD | tar -x -C "$folder"
  # The folder of what is built is below that of the sources.
  # Added to whatever flags there are, which RUSTFLAGS would replace.
  local map="'--remap-path-prefix=$folder=/udp-sec', '--remap-path-prefix=$CRATES=/cargo'"
  local flags=(--release --locked --quiet --config "target.'cfg(all())'.rustflags=[$map]")
  export CARGO_TARGET_DIR=$folder/target CARGO_INCREMENTAL=0
  ROOT=$folder
  case $part in
    guest)
      cd "$folder/tests/qemu-guest"
      cargo_riscv build "${flags[@]}" --bin qemu-guest
      cp "$folder/target/riscv/$BARE_METAL_TARGET/release/qemu-guest" "$WORK/$2.guest"
      ;;
    tool)
      cd "$folder"
      cargo build "${flags[@]}" -p udp-sec-tool
      cp "$folder/target/release/udpsec" "$WORK/$2.tool"
      ;;
  esac
  rm -rf "$folder"
)

status=0
for part in "${PARTS[@]}"; do
  build "$part" here
  build "$part" there/and-deeper
  if cmp "$WORK/here.$part" "$WORK/there/and-deeper.$part"; then
    say "$part: equal, $(wc -c <"$WORK/here.$part") bytes, SHA-256 $(sha256sum "$WORK/here.$part" | cut -d ' ' -f 1)"
  else
    mkdir -p "$ROOT/artifacts/reproducible"
    mv "$WORK/here.$part" "$WORK/there/and-deeper.$part" "$ROOT/artifacts/reproducible/"
    warn "$part: the two builds differ"
    status=1
  fi
done
exit "$status"
