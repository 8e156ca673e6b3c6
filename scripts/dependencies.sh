#!/usr/bin/env bash
# Compares what the three libraries depend on with the committed lists in docs/dependencies/, and makes
# sure that nothing we ship carries one cryptographic crate in two versions.
#
# usage: ./scripts/dependencies.sh [--update]
#   --update  write the lists anew, to be read and committed
#   --help    this text
#
# A list is what the bare-metal target links with default features off: crate, version, features.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

UPDATE=no
case ${1:-} in
  "") ;;
  --update) UPDATE=yes ;;
  --help | -h)
    usage "$0"
    exit 0
    ;;
  *) die "unknown argument '$1' (try --help)" ;;
esac

LISTS=$ROOT/docs/dependencies
# Names of crates that hold keys, nonces, digests or curves, and of what they share. getrandom is not among them: it
# only asks the system, and on hosts ring brings its own version of it.
CRYPTO='^(aead|aes(-gcm)?|blake2|block-buffer|chacha20(poly1305)?|cipher|crypto-common|ctr|curve25519-dalek|digest|'
CRYPTO+='ed25519(-dalek)?|ghash|inout|poly1305|polyval|rand_core|ring|sha2|signature|snow|subtle|'
CRYPTO+='universal-hash|x25519-dalek|zeroize) '

# Every linked crate once; the paths of our own crates say nothing and differ by machine.
dependency_list() {
  cargo tree --locked -p "$1" --no-default-features -e normal --target "$BARE_METAL_TARGET" \
    --prefix none --no-dedupe --format '{p} [{f}]' | sed 's| (/[^)]*)||' | LC_ALL=C sort -u
}

cd "$ROOT"
mkdir -p "$LISTS"
STALE=()
for crate in "${LIBRARY_CRATES[@]}"; do
  now=$(dependency_list "$crate")
  if [[ $UPDATE == yes ]]; then
    printf '%s\n' "$now" >"$LISTS/$crate.txt"
    say "wrote docs/dependencies/$crate.txt ($(wc -l <"$LISTS/$crate.txt") crates)"
  elif ! diff -u --label "docs/dependencies/$crate.txt" --label "$crate now" "$LISTS/$crate.txt" <(say "$now"); then
    STALE+=("$crate")
  fi
done
((${#STALE[@]} == 0)) || die "dependencies changed: ${STALE[*]}. If intended: ./scripts/dependencies.sh --update"

# What is shipped: the libraries with every feature, and the tool.
SHIPPED=()
for crate in "${LIBRARY_CRATES[@]}" udp-sec-tool; do
  if cargo pkgid --offline -p "$crate" >/dev/null 2>&1; then SHIPPED+=(-p "$crate"); fi
done
DUPLICATES=$(cargo -q tree --locked "${SHIPPED[@]}" --all-features -d -e normal --depth 0 --prefix none --format '{p}')
TWICE=$(LC_ALL=C sort -u <<<"$DUPLICATES" | grep -E "$CRYPTO" || true)
[[ -z $TWICE ]] || die "cryptographic crates in more than one version:"$'\n'"$TWICE"
say "dependency lists match; no cryptographic crate twice"
