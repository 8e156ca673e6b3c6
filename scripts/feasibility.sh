#!/usr/bin/env bash
# Asks anew whether a QUIC stack builds for the bare-metal target, and compares with what was recorded.
#
# usage: ./scripts/feasibility.sh [option...]
#   --only "NAME..."  ask these candidates only: folders of tests/feasibility/candidates/
#   --newest          ask the newest releases instead of the recorded ones; only builds or fails counts
#   --update          take what is found as the record (then read the difference, and commit it)
#   --no-network      as if there were none: what was not downloaded before is skipped
#   --help            this text
#
# Downloads the candidates' source and builds each afresh: about 5 minutes. Ends with a table, leaves the answers
# as JSON in artifacts/feasibility/, and fails if one differs from its record, with both shown. What the machine
# lacks (a network, the target) is a skip, with its name. docs/feasibility.md tells what the answers mean.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

while (($#)); do
  case $1 in
    --help | -h)
      usage "$0"
      exit 0
      ;;
    --only)
      (($# > 1)) || die "$1 needs a value"
      export FEASIBILITY_ONLY=$2
      shift
      ;;
    --newest) export FEASIBILITY_NEWEST=1 ;;
    --update) export FEASIBILITY_UPDATE=1 ;;
    --no-network) export CARGO_NET_OFFLINE=true ;;
    *) die "unknown argument '$1' (try --help)" ;;
  esac
  shift
done
if [[ -n ${FEASIBILITY_NEWEST:-} && -n ${FEASIBILITY_UPDATE:-} ]]; then
  die "a record is of pinned releases: --update does not go with --newest"
fi

have cargo || die "no cargo here: run ./scripts/setup.sh first"
cd "$ROOT"
mkdir -p artifacts/feasibility
FEASIBILITY_OUT=$ROOT/artifacts/feasibility/$(date -u +%Y-%m-%dT%H-%M-%SZ).json
export FEASIBILITY_OUT
# What differs is in the message; where in the test it was noticed helps nobody.
export RUST_BACKTRACE=0

# One thread: the tests print as they go, and each build takes the whole machine.
status=0
cargo test --locked --quiet -p feasibility --test stacks -- --ignored --nocapture --test-threads=1 || status=$?
[[ ! -f $FEASIBILITY_OUT ]] || say "answers: ${FEASIBILITY_OUT#"$ROOT"/}"
exit "$status"
