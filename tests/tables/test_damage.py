"""A results folder that was damaged is refused in one message; nothing in it is read silently."""

import os
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError
from model.inputs.scenario import Scenario

N_DAMAGES = int(os.environ.get("UPSTREAM_DAMAGES", "300"))
"""2,000 take a minute; these show the same, and the environment can ask for more."""

FRAMES = ("runs", "monthly", "people", "services", "programmes", "ledger", "budgets", "lives", "neighbourhoods")


@pytest.fixture(scope="module")
def whole(town: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = town.model_copy(update={"population": 100, "years": 1, "replicates": 2, "services": ["gp"]})
    return run_campaign([small], tmp_path_factory.mktemp("a") / "out", lives=True).folder


@pytest.fixture(scope="module")
def another(town: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    update = {"population": 100, "years": 1, "replicates": 2, "services": ["gp"], "seed": 9}
    return run_campaign([town.model_copy(update=update)], tmp_path_factory.mktemp("b") / "out", lives=True).folder


def flip(path: Path, chance: random.Random, others: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def cut(path: Path, chance: random.Random, others: list[Path]) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def zero(path: Path, chance: random.Random, others: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    first = chance.randrange(len(data))
    length = chance.randrange(1, 200)
    stretch = data[first : first + length]
    data[first : first + length] = bytes(len(stretch)) if any(stretch) else b"\1" * len(stretch)
    path.write_bytes(data)


def swap(path: Path, chance: random.Random, others: list[Path]) -> None:
    path.write_bytes(chance.choice([one for one in others if one.read_bytes() != path.read_bytes()]).read_bytes())


def delete(path: Path, chance: random.Random, others: list[Path]) -> None:
    path.unlink()


def read_all(folder: Path) -> list[pd.DataFrame]:
    results = Results(folder)
    return [getattr(results, name) for name in FRAMES]


@pytest.mark.slow
def test_no_damage_is_read_silently_and_none_ends_in_a_traceback(whole: Path, another: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in whole.iterdir() if path.is_file())
    chance, copy = random.Random(1), tmp_path / "copy"  # noqa: S311 - no secret
    shutil.copytree(whole, copy)
    for n in range(N_DAMAGES):
        name, damage = chance.choice(names), (flip, cut, zero, swap, delete)[n % 5]
        others = [whole / one for one in names if one != name] + [another / name] * (name != "manifest.json")
        damage(copy / name, chance, others)
        with pytest.raises(ResultsError) as refused:
            read_all(copy)
        assert "\n" not in str(refused.value), (name, damage)
        shutil.copy(whole / name, copy / name)
    assert all(ours.equals(theirs) for ours, theirs in zip(read_all(copy), read_all(whole), strict=True))


@pytest.mark.parametrize("name", ["monthly.parquet", "manifest.json"])
def test_every_bit_counts(whole: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    data = bytearray((whole / name).read_bytes())
    for at in (0, len(data) // 2, len(data) - 1):
        for bit in range(8):
            damaged = data.copy()
            damaged[at] ^= 1 << bit
            (copy / name).write_bytes(damaged)
            with pytest.raises(ResultsError, match=name):
                read_all(copy)


def test_the_message_says_what_it_is(whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    (copy / "people.parquet").unlink()
    with pytest.raises(ResultsError, match=r"people\.parquet: is missing"):
        _ = Results(copy).people
    flip(copy / "ledger.parquet", random.Random(2), [])  # noqa: S311 - no secret
    with pytest.raises(ResultsError, match=r"ledger\.parquet: is damaged, or not of these results"):
        _ = Results(copy).ledger
