"""Lessons run from top to bottom, and what is shown of them is fit to be shown."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_LESSON_BYTES = 1_500_000
PATIENCE = dict.fromkeys(("timeout", "startup_timeout", "iopub_timeout"), 600)
"""Seconds for a cell, a start and an output: only what hangs uses them up."""
PATH_OF_A_MACHINE = re.compile(r"[A-Za-z]:\\|site-packages|(?<![\w.:/])/(?:[\w.-]+/)+[\w.-]+")

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def lesson_at(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_cells(lesson):
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def shown(cells):
    """Yield what readers see as words: no pictures, whose letters mean nothing."""
    for cell in cells:
        for output in cell.outputs:
            words = {k: v for k, v in output.items() if k != "data"}
            yield json.dumps(words)
            yield from (str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/"))


def complaints(cells):
    """Return what was written to the error stream: warnings, as a reader would meet them."""
    return [o.text for cell in cells for o in cell.outputs if o.get("name") == "stderr"]


# What talks to the kernel says on Windows that it takes a slower way there, which is all right.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")
@each_lesson
def test_a_lesson_runs_from_top_to_bottom_without_a_warning(path, monkeypatch):
    monkeypatch.setenv("UPSTREAM_LESSON", "small")  # lessons that live whole places live small ones
    lesson = lesson_at(path)
    where = {"metadata": {"path": str(ROOT)}}
    NotebookClient(lesson, **PATIENCE, record_timing=False, resources=where).execute()

    assert complaints(code_cells(lesson)) == []


@each_lesson
def test_a_lesson_is_shown_as_it_ran(path):
    cells = code_cells(lesson_at(path))

    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert complaints(cells) == []


@each_lesson
def test_a_lesson_tells_nothing_of_the_machine_it_ran_on(path):
    lesson = lesson_at(path)
    text = path.read_text(encoding="utf-8")

    assert [words for words in shown(code_cells(lesson)) if PATH_OF_A_MACHINE.search(words)] == []
    assert not any("execution" in cell.metadata for cell in lesson.cells)
    assert lesson.metadata.kernelspec.name == "python3"
    assert "version" not in lesson.metadata.language_info
    assert len(text.encode()) < LARGEST_LESSON_BYTES


@pytest.mark.parametrize("words", ["/home/someone/model/x.py:3", "C:\\Users\\someone", "in '/tmp/ipykernel_1/2.py'"])
def test_a_path_of_a_machine_is_known_when_seen(words):
    assert PATH_OF_A_MACHINE.search(words)


@pytest.mark.parametrize("words", ["1 / 1.25 is 0.8", "</td></tr>", "births/deaths a year"])
def test_other_words_are_no_path(words):
    assert not PATH_OF_A_MACHINE.search(words)


@each_lesson
def test_links_of_a_lesson_lead_somewhere(path):
    words = "\n".join(cell.source for cell in lesson_at(path).cells)
    for target in re.findall(r"\]\(([^)#:]+)\)", words):
        assert (path.parent / target).exists(), target


@each_lesson
def test_answers_stay_folded_until_asked_for(path):
    answers = [cell for cell in lesson_at(path).cells if re.fullmatch(r"answer-\d+", cell.id)]

    assert answers
    for cell in answers:
        assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}


def test_there_are_lessons():
    assert LESSONS
