"""A disk that is full, at any of a campaign's writes: one message, and what was finished stays."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.errors import ResultsError
from model.inputs.scenario import Scenario
from model.tables.store import RunStore

FULL = "No space left on device"


def full(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def after(n: int, write: Callable[..., Any]) -> Callable[..., Any]:
    """Let a write succeed so many times, and then find the disk full."""
    done = iter(range(n))

    def limited(*args: Any, **kwargs: Any) -> Any:
        return full() if next(done, None) is None else write(*args, **kwargs)

    return limited


@pytest.fixture
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 200, "replicates": 3, "services": ["gp"]})


def test_no_room_for_the_first_file_leaves_nothing(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ResultsError, match=rf"out: cannot be written \({FULL}\)"):
            run_campaign([config], tmp_path / "out")
    assert not any(tmp_path.iterdir())


def test_no_room_for_a_run_keeps_those_before_it(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "keep", after(2, RunStore.keep))
        with pytest.raises(ResultsError, match=rf"{FULL}\)\. Runs that were finished are kept: make room"):
            run_campaign([config], tmp_path / "out")
    found = Results(tmp_path / "out")
    assert found.runs["status"].tolist() == ["finished"] * 2
    assert found.monthly["run"].unique().tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 5])  # the first write, of neighbourhoods, comes before any run
def test_no_room_for_the_whole_tables_keeps_every_run(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    whole = run_campaign([config], tmp_path / "whole").results
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", after(n, pq.ParquetWriter.write_table))
        with pytest.raises(ResultsError, match=FULL):
            run_campaign([config], tmp_path / "out")
    found = Results(tmp_path / "out")
    assert found.runs["digest"].tolist() == whole.runs["digest"].tolist()
    for table in ("monthly", "people", "services", "ledger"):
        assert getattr(found, table).equals(getattr(whole, table))


def test_no_room_for_a_figure_is_one_message(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_campaign([config], tmp_path / "out").folder
    monkeypatch.setattr("matplotlib.backends.backend_svg.FigureCanvasSVG.print_svg", full)
    with pytest.raises(SystemExit) as stopped:
        main(["show", str(folder)])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"cannot be written ({FULL})")
