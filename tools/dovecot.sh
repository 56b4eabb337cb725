#!/bin/sh
# Print the path of Dovecot, the IMAP server that the tests fetch from. Installs it when there is none.
# Where it cannot be had nothing is printed and those tests are skipped; but not in CI, where that is an error.
set -eu

find_dovecot() {
    for name in ${DESKBELL_TEST_DOVECOT:-} dovecot /usr/sbin/dovecot; do
        path=$(command -v "$name") && [ -x "${path%/*}/../lib/dovecot/imap" ] && echo "$path" && return
    done
    return 1
}

find_dovecot && exit
"$(dirname "$0")/system-package.sh" dovecot-imapd && find_dovecot && exit

echo "No Dovecot: the tests of fetching mail are skipped. On Debian: apt-get install dovecot-imapd" >&2
[ "${CI:-}" != true ]
