#!/usr/bin/env bash
# Mesa 3.5.1: once a model's step() has raised an error, later calls of step() do nothing and say nothing.
#
# Expected: a second call of step() runs the model's own step again, and raises again, as in Mesa 3.3.1.
# Seen:     the first call raises; the second returns without an error and without running the model's own step. The
#           step is scheduled as an event, which schedules the next one after it; an error comes before that.
# Why it matters: a loop that catches an error of a step and goes on, or one that steps to a fixed end, goes through
#           months that were never simulated.
# Output seen: "first: RuntimeError, own steps 1" and "second: no error, own steps 1"
#
# Needs Python 3.12 or newer as PYTHON (default python3.12). Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3.12}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check mesa==3.5.1 networkx==3.5
"$folder/venv/bin/python" - <<'PYTHON'
import mesa


class Refusing(mesa.Model):
    """A model whose own step counts itself, then refuses."""

    own_steps = 0

    def step(self):
        self.own_steps += 1
        raise RuntimeError("past the end")


model = Refusing()
told = []
for name in ("first", "second"):
    try:
        model.step()
        outcome = "no error"
    except RuntimeError:
        outcome = "RuntimeError"
    told.append(f"{name}: {outcome}, own steps {model.own_steps}")
print(f"mesa {mesa.__version__}", *told, sep="\n")
expected = ["first: RuntimeError, own steps 1", "second: no error, own steps 1"]
raise SystemExit(told != expected)
PYTHON
