#!/usr/bin/env bash
# NumPy 2.4.6: Generator.permutation refuses an array of no elements that is read-only, though it promises a copy.
#
# Expected: a permuted copy, which of nothing is nothing; the array that is given is never written to, as of three
#           elements that are read-only.
# Seen:     of three read-only elements a permuted copy; of none "ValueError: array is read-only". An array of shape
#           (0, 2) is taken.
# Why it matters: columns of pandas 3 are read-only arrays. A sample of the rows that a filter leaves works until a
#           filter leaves none.
# Output seen: "(3,): permuted", "(0,): ValueError: array is read-only" and "(0, 2): permuted"
#
# Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np


def outcome(shape):
    """Say what becomes of a read-only array of a shape."""
    values = np.arange(np.prod(shape)).reshape(shape)
    values.setflags(write=False)
    try:
        np.random.default_rng(1).permutation(values)
    except ValueError as error:
        return f"{shape}: ValueError: {error}"
    return f"{shape}: permuted"


told = [outcome(shape) for shape in ((3,), (0,), (0, 2))]
print(*told, sep="\n")
assert told == ["(3,): permuted", "(0,): ValueError: array is read-only", "(0, 2): permuted"], "it has changed"
PYTHON
