"""Studies of a place of one's own read its file once, in the process that asks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.extend import load_extension
from model.inputs.places import load_place
from model.simulation.month import all_steps
from model.studies.paired_runs import Worlds
from model.studies.runner import Figures, ask
from tests.own_files import OwnFiles
from tests.test_cli import needs_signals, wait_until, workers_of


def spoils_the_place(worlds: Worlds) -> Figures:
    """Answer with the people of the place, and leave nothing of its file to whoever comes next."""
    config = worlds.larger(2).scenario("shift_siloed", years=2)
    Path(config.place).write_text("spoilt", encoding="utf-8")
    return {"people": float(config.place_profile.population)}


def test_a_place_spoilt_during_a_study_changes_no_answer(tmp_path: Path) -> None:
    own = OwnFiles(tmp_path)
    people = load_place(own.place).population
    found = ask([spoils_the_place], [1, 2], population=300, years=1, jobs=1, place=str(own.place))
    assert found.of("people").tolist() == [people, people]
    assert found.place == "Sandbeck"


def counts_steps(worlds: Worlds) -> Figures:
    """Answer with the number of steps of the month."""
    return {"steps": float(len(all_steps()))}


@pytest.mark.slow
@pytest.mark.usefixtures("session")
def test_own_code_of_the_process_that_asks_reaches_every_process(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from model.extend import Extension, OwnStep, Step\n"
        "def look(sim, month): pass\n"
        'extension = Extension(steps=[OwnStep(Step(look), after="die")])\n'
    )
    before = len(all_steps())
    load_extension(file)
    found = ask([counts_steps], [1, 2], population=300, years=1, jobs=2, place="sandbeck")

    assert found.of("steps").tolist() == [before + 1] * 2


@pytest.mark.slow
@needs_signals
@pytest.mark.parametrize("words", [["replay", "--seeds", "4"], ["replicate", "--seeds", "4"]])
def test_ctrl_c_ends_a_page_with_one_message_and_no_traceback(words):
    """A terminal sends the interrupt to the command and to all its processes."""
    command = [sys.executable, "-m", "model", *words, "--jobs", "2"]
    asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: len(workers_of(asked.pid)) == 2)
    time.sleep(2.0)  # at any moment: they load, or work
    os.killpg(asked.pid, signal.SIGINT)
    _, told = asked.communicate(timeout=60)

    assert asked.returncode == 130
    assert "Traceback" not in told
    assert told.splitlines()[-1].strip() == "upstream: interrupted"
