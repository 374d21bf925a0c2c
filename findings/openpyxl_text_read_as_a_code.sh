#!/usr/bin/env bash
# openpyxl 3.1.5: a text such as a_x000D_b is written as it is, and a spreadsheet reads a carriage return in it.
#
# Expected: what is written is what a spreadsheet shows. In Office Open XML (ECMA-376, ST_Xstring) _xHHHH_ is the code of
#           a character, and a text that holds one is written with _x005F_ in place of its first underscore.
# Seen:     openpyxl escapes nothing in cells, and reads its own file back unchanged, so a test that only it reads sees
#           nothing. LibreOffice 7.4 shows "a", a carriage return, "b".
# Why it matters: a title of somebody else can put control characters into a report that was checked for them.
# Output seen: "openpyxl reads 'a_x000D_b', LibreOffice 'a\rb'"
#
# Needs soffice. Exits non-zero when the behaviour has changed. PYTHON is the Python to use (default python3).
set -euo pipefail
python=${PYTHON:-python3}
command -v soffice >/dev/null || { echo "soffice is not installed"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openpyxl==3.1.5
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import csv
import subprocess
import sys
from pathlib import Path

from openpyxl import Workbook, load_workbook

folder = Path(sys.argv[1])
book = Workbook()
book.active["A1"] = "a_x000D_b"
book.save(folder / "text.xlsx")
profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
convert = ["--headless", "--convert-to", "csv", "--outdir", str(folder), str(folder / "text.xlsx")]
subprocess.run(["soffice", profile, *convert], check=True, capture_output=True)
own = load_workbook(folder / "text.xlsx").active["A1"].value
with (folder / "text.csv").open(newline="") as file:
    shown = next(csv.reader(file))[0]
print(f"openpyxl reads {own!r}, LibreOffice {shown!r}")
raise SystemExit(own != "a_x000D_b" or shown == own)
PYTHON
