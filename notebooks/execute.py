"""Run every lesson from top to bottom and keep what it shows: ``make lessons``."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
LANGUAGE = {"name": "python"}
"""All a lesson says of the Python that ran it: its version would change the file for nothing."""
SLIDERS = "application/vnd.jupyter.widget-view+json"
"""The kind of output that works only while the lesson runs: read later, it is an error message."""


def without_sliders(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Leave out what only a running lesson can show."""
    return [output for output in outputs if SLIDERS not in output.get("data", {})]


def execute(path: Path) -> None:
    """Run one lesson in a fresh kernel and write it back, with neither times, versions nor live sliders."""
    lesson = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    where = {"metadata": {"path": str(FOLDER.parent)}}
    NotebookClient(lesson, timeout=600, record_timing=False, resources=where).execute()
    lesson.metadata.pop("widgets", None)
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs = without_sliders(cell.outputs)
    lesson.metadata["language_info"] = LANGUAGE
    nbformat.write(lesson, path)


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb")):
        print(path.name)
        execute(path)
