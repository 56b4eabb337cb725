#!/bin/sh
# Print the path of a Python that Deskbell runs on, python3 first; PYTHON=... chooses another.
set -eu

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$candidate" -c 'import sys; print(sys.executable)'
    fi
done

echo "Deskbell needs Python 3.11 or newer, and neither python3 nor python3.11 … 3.14 is one." >&2
echo "Install it (on Debian: apt-get install python3), or say where it is: make PYTHON=/path/to/python3 …" >&2
exit 1
