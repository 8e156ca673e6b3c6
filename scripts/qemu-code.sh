#!/usr/bin/env bash
# Lists the guest's code by crate, and holds it against the bounds.
#
# usage: ./scripts/qemu-code.sh [--symbols N]
#   --symbols N   the N largest symbols of our crates and the cryptography as well
#   --help        this text
#
# What counts are the symbols of `.text` and `.rodata`. A symbol is its crate's: the first that its path names, of a
# method of a trait the one that the type is from, of drop glue the one whose value is dropped. What was inlined counts
# where it was inlined to. Exit code 0 only if our three crates and the cryptography are below 30 % of the 413 KB of a
# port of quinn-proto with Noise (docs/feasibility.md), and the whole guest is at most 256 KiB.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SYMBOLS=0
while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --symbols)
      (($# > 1)) || die "$1 needs a value"
      SYMBOLS=$2
      shift 2
      ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
done
have nm || die "no nm here (Debian: apt-get install binutils)"

# 30 % of 413 000 bytes, and 256 KiB.
TRANSPORT_MAX=123900
GUEST_MAX=262144

(cd "$ROOT/tests/qemu-guest" && cargo_riscv build --quiet --release --locked)
IMAGE=${CARGO_TARGET_DIR:-$ROOT/target}/riscv/$BARE_METAL_TARGET/release/qemu-guest

# Address, size, kind, name: of code (t) and constants (r) only.
nm --demangle --print-size --size-sort --reverse-sort --radix=d "$IMAGE" | awk -v shown="$SYMBOLS" \
  -v transport_max="$TRANSPORT_MAX" -v guest_max="$GUEST_MAX" \
  -v whole="$(size -A "$IMAGE" | awk '$1 == ".text" || $1 == ".rodata" { bytes += $2 } END { print bytes }')" '
  BEGIN {
    split("nexus_net_adapter udp_sec_recovery udp_sec", names, " ")
    for (name in names) group[names[name]] = names[name]
    split("snow blake2 curve25519_dalek x25519_dalek chacha20poly1305 chacha20 poly1305 aead cipher universal_hash " \
      "digest crypto_common subtle cmov ctutils zeroize", names, " ")
    for (name in names) group[names[name]] = "cryptography"
    group["smoltcp"] = "smoltcp"
    split("qemu_guest ladder virtio_drivers sha2 linked_list_allocator defmt", names, " ")
    for (name in names) group[names[name]] = "the guest, the ladder, their drivers"
  }
  tolower($3) ~ /^[tr]$/ {
    bytes = $2 + 0
    name = $0
    sub(/^[0-9]+ [0-9]+ . /, "", name)
    path = name
    # The value that is dropped, the type that a method is of.
    sub(/^core::ptr::drop_in_place</, "", path)
    sub(/^[<&(\[]*(mut )?/, "", path)
    if (path ~ /^(core|alloc)::/ && name ~ /^core::ptr::drop_in_place</) {
      sub(/^(core|alloc)::[a-z_:]*[A-Za-z]*</, "", path)
    }
    crate = match(path, /^[a-z_][a-z0-9_]*::/) ? substr(path, 1, RLENGTH - 2) : "none"
    of = crate in group ? group[crate] : "core, alloc, heapless, built-ins, strings and what has no name"
    sum[of] += bytes
    named += bytes
    if ((of in group || of == "cryptography") && listed < shown) {
      listed++
      printf "%8d  %s\n", bytes, name
    }
  }
  END {
    rest = "core, alloc, heapless, built-ins, strings and what has no name"
    sum[rest] += whole - named
    for (of in sum) printf "%8d  %s\n", sum[of], of | "sort -rn"
    close("sort -rn")
    transport = sum["nexus_net_adapter"] + sum["udp_sec_recovery"] + sum["udp_sec"] + sum["cryptography"]
    printf "%8d  our three crates and the cryptography, at most %d\n", transport, transport_max
    printf "%8d  the whole guest, at most %d\n", whole, guest_max
    exit transport > transport_max || whole > guest_max
  }'
