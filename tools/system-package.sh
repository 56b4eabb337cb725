#!/bin/sh
# Install a Debian package when that is possible without asking: `tools/system-package.sh chromium`.
set -eu

if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here." >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "Only root may run apt-get install $1." >&2
    exit 1
fi

echo "Installing the system package $1 ..." >&2
$as_root apt-get update -qq >&2 || true # an old list may do
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$1" >&2
