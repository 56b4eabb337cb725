#!/bin/sh
# Install what uv.lock says into .venv: `tools/install.sh run` for Deskbell alone, `tools/install.sh dev` for its tests too.
# It only ever adds (--inexact), so that installing for the tests leaves a running server what it has.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
uv=.tools/uv/bin/uv
unset VIRTUAL_ENV
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv

install_uv() {
    rm -rf .tools/uv
    if "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        "$1" -m venv .tools/uv
        .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
    elif "$1" -m pip --version >/dev/null 2>&1; then
        "$1" -m pip install --quiet --disable-pip-version-check --target .tools/uv "uv==$UV_VERSION"
    else
        echo "$1 has neither venv nor pip. On Debian: apt-get install python3-venv" >&2
        exit 1
    fi
}

if .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=.venv/bin/python
else
    python=$(tools/python.sh)
fi
case $("$uv" --version 2>/dev/null || true) in
    "uv $UV_VERSION"*) ;;
    *) echo "Installing uv $UV_VERSION into .tools ..." && install_uv "$(tools/python.sh)" ;;
esac

# The pages' scripts and icons are fetched when Deskbell is installed; where they are gone it is installed once more.
[ -f deskbell/web/static/vendor/icons.svg ] || set -- "$1" --reinstall-package deskbell
kind=$1 && shift

case $kind in
    run) "$uv" sync --frozen --inexact --compile-bytecode --python "$python" --no-dev "$@" && touch .venv/.for-run ;;
    dev) "$uv" sync --frozen --inexact --python "$python" "$@" && touch .venv/.for-run .venv/.for-dev ;;
    *) echo "usage: tools/install.sh run|dev" >&2 && exit 2 ;;
esac
