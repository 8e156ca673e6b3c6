#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks. Says nothing when nothing is missing.
#
# usage: ./scripts/setup.sh [--check] [--with-deny] [--with-fuzz] [--with-mutants]
#   --check         print what would be done, change nothing; exit 1 if something is missing
#   --with-deny     also build cargo-deny (several minutes)
#   --with-fuzz     also install the nightly toolchain, and build cargo-fuzz (a minute or two)
#   --with-mutants  also build cargo-mutants (two minutes), for ./scripts/mutants.sh
#   --help          this text
#
# Needs: a C compiler (the `ring` feature), cargo and rustc 1.91 or newer (smoltcp; the libraries alone need
# 1.87), rustfmt, clippy, and a way to build for riscv64imac-unknown-none-elf: the rustup target, or the
# Debian compiler with its sources. Some tests run other programs (curl, iperf3, ip, unshare, QEMU); where
# one of those cannot be installed, its tests are skipped by name.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RUST_MINIMUM=91
CHECK=no
WITH_DENY=no
WITH_FUZZ=no
WITH_MUTANTS=no
for argument in "$@"; do
  case $argument in
    --check) CHECK=yes ;;
    --with-deny) WITH_DENY=yes ;;
    --with-fuzz) WITH_FUZZ=yes ;;
    --with-mutants) WITH_MUTANTS=yes ;;
    --help | -h)
      usage "$0"
      exit 0
      ;;
    *) die "unknown argument '$argument' (try --help)" ;;
  esac
done

MISSING=no
# missing WHAT COMMAND…: says what is missing and runs the command that provides it, or only says so.
missing() {
  local what=$1
  shift
  MISSING=yes
  say "missing: $what"
  say "     -> $*"
  [[ $CHECK == yes ]] || patiently "$@"
}

UPDATED=no
apt_install() {
  local sudo=()
  have apt-get || die "this is no Debian-like system: please install the equivalent of: $*"
  if ((EUID != 0)); then
    have sudo || die "neither root nor sudo: please have installed: apt-get install $*"
    sudo=(sudo)
  fi
  if [[ $UPDATED == no ]]; then
    "${sudo[@]}" apt-get update -qq
    UPDATED=yes
  fi
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@"
}

rust_is_new_enough() {
  local minor
  have cargo && have rustc || return 1
  minor=$(cd "$ROOT" && rustc --version | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
  [[ -n $minor ]] && ((minor >= RUST_MINIMUM))
}

install_rust() {
  if have rustup; then
    rustup toolchain install stable --profile default
  else
    apt_install rustc-web cargo-web rust-web-src rustfmt-web rust-web-clippy
  fi
  rust_is_new_enough || die "rustc 1.$RUST_MINIMUM or newer is needed, found: $(rustc --version)"
}

install_component() {
  if have rustup; then
    rustup component add "$1"
  elif [[ $1 == rustfmt ]]; then
    apt_install rustfmt-web
  else
    apt_install rust-web-clippy
  fi
}

install_riscv() {
  if have rustup && (cd "$ROOT" && timeout 60 rustup target add "$BARE_METAL_TARGET"); then
    return
  fi
  say "     -> no target from rustup; taking Debian's compiler and library sources"
  apt_install rustc-web rust-web-src
}

# optional COMMAND PACKAGE: installs a program that only some tests use; without it they are skipped.
optional() {
  have "$1" && return
  if [[ $CHECK == yes ]]; then
    say "missing, for some tests: $1"
    say "     -> apt_install $2"
  else
    say "missing, for some tests: $1"
    # In a shell of its own: what fails there ends nothing here.
    (patiently apt_install "$2") || say "     -> cannot be installed here: tests that need $1 are skipped"
  fi
}

have cc || missing "a C compiler" apt_install gcc libc6-dev
rust_is_new_enough || missing "cargo and rustc 1.$RUST_MINIMUM or newer" install_rust
cargo fmt --version >/dev/null 2>&1 || missing "rustfmt" install_component rustfmt
cargo clippy --version >/dev/null 2>&1 || missing "clippy" install_component clippy
[[ $(riscv_route) != none ]] || missing "a toolchain for $BARE_METAL_TARGET" install_riscv
if [[ $WITH_DENY == yes ]] && ! have cargo-deny; then
  missing "cargo-deny" cargo install cargo-deny --locked --no-default-features
fi
if [[ $WITH_FUZZ == yes ]]; then
  have rustup || die "the nightly toolchain needs rustup, which is not installed"
  rustup run nightly rustc --version >/dev/null 2>&1 ||
    missing "the nightly toolchain" rustup toolchain install nightly --profile minimal
  have c++ || missing "a C++ compiler" apt_install g++
  have cargo-fuzz || missing "cargo-fuzz" cargo install cargo-fuzz --locked
fi
if [[ $WITH_MUTANTS == yes ]] && ! have cargo-mutants; then
  missing "cargo-mutants" cargo install cargo-mutants --locked
fi

optional curl curl
optional iperf3 iperf3
optional python3 python3
optional ip iproute2
optional unshare util-linux
optional qemu-system-riscv64 qemu-system-misc

if [[ $CHECK == yes && $MISSING == yes ]]; then
  exit 1
fi
[[ $(riscv_route) != none ]] || die "still no toolchain for $BARE_METAL_TARGET"
