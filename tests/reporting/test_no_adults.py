"""A place of children alone: what has no base is left out, in words and figures, and nothing is printed as nan."""

import re
from pathlib import Path

import pytest

from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.codes import STATES
from model.inputs.scenario import Scenario, load_scenario

CHILDREN = """
name = "School camp"
code = "camp"
kind = "synthetic"
year = 2020
sources = []
age_from = [0, 16]
neighbourhoods = [
  { code = "T1", name = "North", population = 100, ages = [100, 0], quintiles = [100, 0, 0, 0, 0] },
  { code = "T2", name = "South", population = 50, ages = [50, 0], quintiles = [0, 0, 0, 0, 50] },
]
"""


@pytest.fixture(scope="module")
def as_it_is(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    file = tmp_path_factory.mktemp("place") / "camp.toml"
    file.write_text(CHILDREN, encoding="utf-8")
    update = {"place": str(file), "population": 150, "years": 1, "burn_in_years": 0, "replicates": 2}
    return load_scenario().model_copy(update={**update, "structure": {"demography": False}})


@pytest.mark.slow
@pytest.mark.parametrize("is_compared", [False, True], ids=["alone", "compared"])
def test_a_place_without_adults_is_told_without_what_has_no_base(
    as_it_is: Scenario, is_compared: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"programme": "link_worker", "budget_gbp_per_year": 100_000.0}
    helped = as_it_is.model_copy(update={"name": "helped", "plan": [entry]})
    folder = run_campaign(
        [helped if is_compared else as_it_is], tmp_path / "out", comparator=as_it_is if is_compared else None
    ).folder
    for command in (["show", str(folder)], ["show", "--each", str(folder)], *[["appraise", str(folder)]] * is_compared):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        shown = capsys.readouterr()
        assert (stopped.value.code, shown.err) == (0, "")
        assert not re.search(r"\bnan\b", shown.out)
    assert "nobody aged 16 or over lives there" in " ".join(shown.out.split()) or is_compared


@pytest.mark.slow
def test_a_place_of_a_handful_of_residents_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some fifth has adults in one run and none in the other."""
    few = load_scenario("link_workers").model_copy(update={"population": 5, "years": 3, "replicates": 2})
    results = run_campaign([few], tmp_path / "out").results
    adults = results.people.set_index(["run", "year", "quintile"])[[f"{state}_months" for state in STATES]].sum(axis=1)
    assert adults.groupby(["run", "year", "quintile"]).sum().unstack("run").eq(0.0).any(axis=None)
    with pytest.raises(SystemExit) as stopped:
        main(["show", str(results.folder)])
    assert stopped.value.code == 0
    assert not re.search(r"\bnan\b", capsys.readouterr().out)
