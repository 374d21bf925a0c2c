"""Lessons run from top to bottom, and what is shown of them is fit to be shown."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_LESSON_BYTES = 1_500_000
PATIENCE = dict.fromkeys(("timeout", "startup_timeout", "iopub_timeout"), 600)
"""Seconds for a cell, a start and an output: only what hangs uses them up."""
PATH_OF_A_MACHINE = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\|site-packages|(?<![\w.:/])/(?:[\w.-]+/)+[\w.-]+")

TIME = re.compile(r"\*\*Time\.\*\* Full: about (\d+) seconds of one processor core\. Small: about (\d+) seconds")
LONGEST_SECONDS = {"full": 150, "small": 25}
"""A lecture has no time for more, nor has a test run for six of them."""

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


@pytest.mark.parametrize("words", ["1 / 1.25 is 0.8", "</td></tr>", "births/deaths a year", r"so:\n as"])
def test_other_words_are_no_path(words):
    assert not PATH_OF_A_MACHINE.search(words)


@each_lesson
def test_links_of_a_lesson_lead_somewhere(path):
    words = "\n".join(cell.source for cell in lesson_at(path).cells)
    for target in re.findall(r"\]\(([^)#:]+)\)", words):
        assert (path.parent / target).exists(), target


@each_lesson
def test_a_lesson_opens_with_what_it_takes_and_what_is_learnt(path):
    opening = lesson_at(path).cells[0].source
    full, small = map(int, TIME.search(opening).groups())

    assert small <= full <= LONGEST_SECONDS["full"]
    assert small <= LONGEST_SECONDS["small"]
    assert "**You will learn**" in opening


@each_lesson
def test_a_lesson_ends_with_one_sentence_to_take_away_told_from_its_results(path):
    (cell,) = [cell for cell in lesson_at(path).cells if cell.id == "take-away"]
    (told,) = [output.data["text/markdown"] for output in cell.outputs]

    assert re.fullmatch(r"\*\*[^*]+\.\*\*", told)
    assert re.search(r"\{[^}]+\}", cell.source)  # a number of the run, not one typed in
    assert "nan" not in told


@each_lesson
def test_each_exercise_has_an_answer(path):
    ids = [cell.id for cell in lesson_at(path).cells]
    exercises = [name.removeprefix("exercise-") for name in ids if re.fullmatch(r"exercise-\d+", name)]

    assert len(exercises) >= 2
    assert all(f"answer-{number}" in ids for number in exercises)


@each_lesson
def test_a_lesson_keeps_no_slider_that_only_works_while_it_runs(path):
    lesson = lesson_at(path)

    assert "widgets" not in lesson.metadata
    assert [o for c in code_cells(lesson) for o in c.outputs if "vnd.jupyter.widget" in json.dumps(o)] == []


def slid(**names):
    """Return the names of a session in which the cell of sliders has run."""
    (lesson,) = [lesson_at(path) for path in LESSONS if "game" in path.stem]
    (sliders,) = [cell.source for cell in lesson.cells if cell.id == "sliders"]
    exec(sliders, names)  # noqa: S102 - a cell of our own
    return names


def test_without_ipywidgets_the_game_says_how_to_play_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # what importing finds where it is not installed
    said = []

    slid(say=said.append)

    assert "play(600, 300, 10, pooled=False)" in said[0]


def test_a_moved_slider_plays_a_round():
    def game(council, nhs, pooled):
        return pd.DataFrame({"puts in": [council, nhs]}, index=["council", "NHS"])

    names = slid(PLAYERS={"council": "council", "nhs": "NHS"}, game=game, in_words=str, display=lambda box: None)
    names["sliders"]["nhs"].value = 310

    assert "<td>310</td>" in names["board"].value


@each_lesson
def test_answers_stay_folded_until_asked_for(path):
    answers = [cell for cell in lesson_at(path).cells if re.fullmatch(r"answer-\d+", cell.id)]

    assert answers
    for cell in answers:
        assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}


def test_there_are_six_lessons_in_their_order():
    assert [path.stem[:2] for path in LESSONS] == [f"{number}_" for number in range(1, 7)]
