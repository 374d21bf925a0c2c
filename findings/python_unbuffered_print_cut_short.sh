#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1 and 3.13.0: where output is unbuffered, print loses the end of a long text on a full disk, in silence.
#
# Expected: an OSError, as without PYTHONUNBUFFERED: print either writes all of a text or raises.
# Seen:     with PYTHONUNBUFFERED=1 (or -u) the text is one raw write. Where a disk, quota or limit has room for a part of
#           it, the system writes that part and says how much; Python drops the rest, and ends with exit code 0.
# Why it matters: containers and CI systems set PYTHONUNBUFFERED, and a page or table that is printed into a file is cut
#           short without a word. A limit of file size stands for the full disk here.
# Output seen: "buffered: exit code 1" and "unbuffered: exit code 0, 8192 of 100000 bytes"
#
# Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" --version

printed() { # in a shell of its own, whose files may have 8 blocks of 1,024 bytes
  local code=0
  (
    ulimit -f 8
    exec env "$@" "$python" -c "print('x' * 100_000, end='')" >"$folder/page" 2>"$folder/errors"
  ) || code=$?
  echo "$code"
}

buffered=$(printed -u PYTHONUNBUFFERED)
unbuffered=$(printed PYTHONUNBUFFERED=1)
size=$(wc -c <"$folder/page")
echo "buffered: exit code $buffered"
echo "unbuffered: exit code $unbuffered, $((size)) of 100000 bytes"
[ "$buffered" -ne 0 ] && [ "$unbuffered" -eq 0 ] && [ "$size" -eq 8192 ]
