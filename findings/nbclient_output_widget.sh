#!/usr/bin/env bash
# nbclient 0.11.0: with store_widget_state=False a notebook that shows something inside an output widget fails with KeyError.
#
# Expected: store_widget_state=False leaves the state of widgets out of the notebook, and the notebook runs as before.
# Seen:     KeyError of the widget's id, from OutputWidget.output, which writes into the state that was not to be stored:
#           widget_state has no entry for it, because entries are made only where store_widget_state is true.
# Why it matters: `interact` of ipywidgets is such a widget, so any notebook with a slider fails. Leave the option at its
#           default, and take `widgets` out of the notebook's metadata afterwards.
# Output seen: "stored: ran" and "not stored: KeyError"
#
# Needs Python 3.11 or newer as PYTHON (default python3). Exits non-zero when the behaviour has changed.
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check nbclient==0.11.0 ipykernel==7.4.0 ipywidgets==8.1.9
"$folder/venv/bin/python" - 2>"$folder/log" <<'PYTHON'
import nbformat
from nbclient import NotebookClient

CELL = "from ipywidgets import interact\ninteract(lambda x: print(x), x=(0, 3))"
told = []
for words, stored in (("stored", True), ("not stored", False)):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    try:
        NotebookClient(notebook, store_widget_state=stored, kernel_name="python3").execute()
        told.append(f"{words}: ran")
    except KeyError:
        told.append(f"{words}: KeyError")
print("\n".join(told))
raise SystemExit(told != ["stored: ran", "not stored: KeyError"])
PYTHON
