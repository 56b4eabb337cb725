#!/bin/sh
# Print the folder of PostgreSQL 15's programs, the oldest that Deskbell supports. Installs it when there is none.
set -eu

programs=/usr/lib/postgresql/15/bin
[ -x "$programs/postgres" ] || "$(dirname "$0")/system-package.sh" postgresql-15 || {
    echo "PostgreSQL 15 is not in $programs. On Debian 12: apt-get install postgresql-15" >&2
    exit 1
}
echo "$programs"
