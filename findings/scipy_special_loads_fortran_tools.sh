#!/usr/bin/env bash
# SciPy 1.17.1 with NumPy 2.4.6: `import scipy.special` loads numpy.f2py, the Fortran wrapper, and numpy.testing.
#
# Expected: a library of functions of numbers loads what it computes with.
# Seen:     while it loads, scipy._lib.array_api_compat copies what NumPy offers, name by name. To ask NumPy whether it has a name
#           is to load what NumPy loads only when it is used: f2py, with its parser of Fortran, and testing among them.
# Why it matters: a third of the time that `import scipy.special` takes on top of NumPy, in every process that needs
#           one incomplete gamma function: command lines, and workers that start often.
# Output seen: "numpy alone: none of numpy.f2py, numpy.testing" and "with scipy.special: numpy.f2py, numpy.testing"
#
# Needs Python 3.11 or newer as PYTHON (default python3). Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
cat >"$folder/loads.py" <<'PYTHON'
import sys

TOOLS = ["numpy.f2py", "numpy.testing"]


def loaded():
    return ", ".join(name for name in TOOLS if name in sys.modules) or f"none of {', '.join(TOOLS)}"


import numpy  # noqa: E402, F401

told = [f"numpy alone: {loaded()}"]
import scipy.special  # noqa: E402, F401

told.append(f"with scipy.special: {loaded()}")
print("\n".join(told))
raise SystemExit(told != ["numpy alone: none of numpy.f2py, numpy.testing", "with scipy.special: numpy.f2py, numpy.testing"])
PYTHON
"$folder/venv/bin/python" "$folder/loads.py"
