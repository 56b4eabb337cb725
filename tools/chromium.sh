#!/bin/sh
# Print the path of the system's Chromium, for the tests in a real browser. Installs it when there is none.
# Where it cannot be had nothing is printed and those tests are skipped; but not in CI, where that is an error.
set -eu

find_chromium() {
    for name in ${DESKBELL_TEST_CHROMIUM:-} chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    return 1
}

find_chromium && exit
"$(dirname "$0")/system-package.sh" chromium && find_chromium && exit

echo "No Chromium: the tests in a real browser are skipped. Install chromium or google-chrome to run them." >&2
[ "${CI:-}" != true ]
