#!/usr/bin/env bash
# openpyxl 3.1.5: a workbook's time of change that the caller sets is overwritten when it is saved.
#
# Expected: properties.modified = 2001-02-03 is written, as properties.created is; so one workbook saved twice can be the
#           same file.
# Seen:     save_workbook() puts the time of the clock in its place, without a word; created stays as set.
# Why it matters: files that should be the same for the same data differ by the second they were written in. The way
#           round is ExcelWriter(workbook, ZipFile(...)).save(), which keeps it.
# Output seen: "created 2001-02-03, modified as set: False, by ExcelWriter: True"
#
# Exits non-zero when the behaviour has changed. PYTHON is the Python to use (default python3).
set -euo pipefail
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openpyxl==3.1.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.writer.excel import ExcelWriter

WHEN = datetime(2001, 2, 3)


def dated():
    book = Workbook()
    book.properties.created = book.properties.modified = WHEN
    return book


saved, written = (Path(sys.argv[1]) / name for name in ("saved.xlsx", "written.xlsx"))
dated().save(saved)
ExcelWriter(dated(), ZipFile(written, "w")).save()
found, other = (load_workbook(path).properties for path in (saved, written))
print(f"created {found.created:%Y-%m-%d}, modified as set: {found.modified == WHEN}, by ExcelWriter: {other.modified == WHEN}")
raise SystemExit(found.modified == WHEN or other.modified != WHEN)
PYTHON
