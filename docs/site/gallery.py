"""Make docs/gallery.md and its pictures: ``make gallery``.

A small study is run, and what people take away of it is made and photographed: the brief as its two sides, the
workbook after LibreOffice has calculated it again, each lesson's time. Chromium, LibreOffice and Poppler are needed.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

STUDY = (
    *("people_powered_shift", "--compare-to", "status_quo", "--population", "4000", "--years", "10"),
    *("--replicates", "2", "--draws", "8", "--quiet"),
)
WIDTH_PX, COLOURS = 1000, 128
DOTS_PER_INCH = 130

SHEETS = {"Summary": "plans side by side", "Appraisal": "the sums of one plan, live"}
"""Sheets shown, by the word with which their page begins."""

OPENING = """# Gallery

What people take away of a study, as it looks. `make gallery` makes this page again: it runs

```sh
upstream run {study}   # long: a minute
upstream report results/001 --pdf   # long: needs a browser
upstream export results/001 --xlsx plan.xlsx   # long: after the two above
```

The study is small, so that it is quick: its figures are not those to quote.
"""


def upstream(*words: str) -> None:
    """Run a command of the project."""
    subprocess.run([sys.executable, "-m", "model", *words], check=True, cwd=ROOT)  # noqa: S603 - our own words


def pages_of(pdf: Path, first: int, last: int) -> Iterator[Path]:
    """Turn pages of a PDF into pictures."""
    stem = pdf.with_suffix("")
    command = ["pdftoppm", "-png", "-r", str(DOTS_PER_INCH), "-f", str(first), "-l", str(last), str(pdf), str(stem)]
    subprocess.run(command, check=True)  # noqa: S603 - our own words
    yield from sorted(pdf.parent.glob(f"{stem.name}-*.png"))


def keep(picture: Path, name: str) -> str:
    """Keep a picture beside the page, small enough for a repository, and return its name."""
    seen = Image.open(picture).convert("RGB")
    seen.thumbnail((WIDTH_PX, 2 * WIDTH_PX))
    # Of a page that is mostly white, the usual way would keep shades of grey and lose the colours of lines.
    seen.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(DOCS / name, optimize=True)
    return name


def sheets_of(workbook: Path) -> Iterator[tuple[str, Path]]:
    """Calculate a workbook again, print it, and yield the first page of each sheet that is shown."""
    profile = f"-env:UserInstallation=file://{workbook.parent / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(workbook.parent), str(workbook)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
    pdf = workbook.with_suffix(".pdf")
    words = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True)  # noqa: S603, S607
    for sheet in SHEETS:
        number = next(k for k, page in enumerate(words.stdout.split("\f"), 1) if page.lstrip().startswith(sheet))
        yield sheet, next(pages_of(pdf, number, number))
        for made in pdf.parent.glob(f"{pdf.stem}-*.png"):
            made.unlink()


def lessons() -> Iterator[str]:
    """Yield a row for each lesson: its title, and its time in both modes as it states them."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        words = nbformat.read(path, as_version=4).cells[0].source
        (title,) = re.findall(r"^# (.+)$", words, re.MULTILINE)
        full, small = re.findall(r"(?:Full|Small): about (\d+ \w+)", words)[:2]
        yield f"| [{title}](../notebooks/{path.name}) | {small} | {full} |"


def page(briefs: list[str], sheets: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield OPENING.format(study=" ".join(STUDY))
    yield "## The brief\n\nThe first two sides of [the report](report.md), printed on A4.\n"
    yield from (f"![Side {k} of the brief]({name})\n" for k, name in enumerate(briefs, 1))
    yield "## The workbook\n\nTwo sheets of [the workbook](workbook.md), calculated again by LibreOffice.\n"
    yield from (f"![The sheet {sheet}: {SHEETS[sheet]}]({name})\n" for sheet, name in sheets)
    if (DOCS / "room_read.png").exists():
        yield "## The policy room\n\nA place builds plans on a page and watches the answer come: [the room](room.md).\n"
        yield "![Plans being built in the policy room](room_build.png)\n"
    if (DOCS / "view.png").exists():
        yield "## The classroom view\n\nA small town, its ties and a resident who was clicked: [the view](view.md).\n"
        yield "![The classroom view after a slider was moved](view.png)\n"
    yield "## The lessons\n\nProcessor time of one core, as each lesson states it.\n"
    yield "| lesson | small | full |\n| --- | --- | --- |"
    yield from lessons()


def main() -> None:
    """Make the page and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        upstream("run", *STUDY, "--out", str(here / "study"))
        upstream("report", str(here / "study"), "--out", str(here / "report.html"), "--pdf")
        upstream("export", str(here / "study"), "--xlsx", str(here / "plan.xlsx"))
        briefs = [keep(one, f"gallery_brief_{k}.png") for k, one in enumerate(pages_of(here / "report.pdf", 1, 2), 1)]
        sheets = [(sheet, keep(one, f"gallery_{sheet.lower()}.png")) for sheet, one in sheets_of(here / "plan.xlsx")]
        (DOCS / "gallery.md").write_text("\n".join(page(briefs, sheets)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
