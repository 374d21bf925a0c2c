"""The key of a run says whether two runs are one: it holds all that decides a run, and nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model import Results, load_scenario
from model.campaign.campaign import plan, run_campaign
from model.campaign.keys import run_key
from model.campaign.planning import Draw
from model.campaign.stages import Stage, asked_in
from model.campaign.workers import Run
from model.core.own_code import LOADED, TextFile
from model.inputs.scenario import Scenario

PAID = {"programme": "link_worker", "budget_gbp_per_year": 1e5}


@pytest.fixture
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 200, "years": 1, "replicates": 2, "services": ["gp"]})


def key(config: Scenario, replicate: int = 0, draw: int = 0) -> str:
    return run_key(Run(0, config, replicate, draw))


@pytest.mark.parametrize("update", [{"name": "b"}, {"title": "B"}, {"question": "Why?"}, {"replicates": 9}])
def test_what_a_scenario_is_called_is_no_part_of_the_key(config: Scenario, update: dict[str, object]) -> None:
    assert key(config.model_copy(update=update)) == key(config)


@pytest.mark.parametrize(
    "update",
    [
        {"years": 2},
        {"population": 201},
        {"seed": 2},
        {"place": "wigan"},
        {"services": []},
        {"levers": {"worsen_hazard_ratio": 0.9}},
        {"structure": {"variant": "no_contagion"}},
        {"parameters": {"frailty_sd": 0.5}},
        {"plan": [PAID]},
        {"plan": [{**PAID, "at_no_effect": True}]},
        {"growth": {"demand": {"gp": 0.01}}},
    ],
    ids=str,
)
def test_what_decides_a_run_changes_its_key(config: Scenario, update: dict[str, object]) -> None:
    assert key(config.model_copy(update=update)) != key(config)


def test_seed_and_replicate_count_only_as_the_seed_they_make(config: Scenario) -> None:
    assert key(config.model_copy(update={"seed": config.seed + 1}), 0) == key(config, 1) != key(config, 0)


def test_numbers_of_a_programme_count(config: Scenario) -> None:
    paying = config.model_copy(update={"plan": [PAID]})

    assert len({key(paying), key(drawn(40.0)(paying)), key(drawn(50.0)(paying))}) == 3


def test_a_place_counts_by_its_content(config: Scenario, tmp_path: Path) -> None:
    text = config.inputs.places["sandbeck"].file.text
    same, other = tmp_path / "same.toml", tmp_path / "other.toml"
    same.write_text(text, encoding="utf-8")
    other.write_text(text.replace("Sandbeck", "Otherbeck"), encoding="utf-8")

    assert key(config.model_copy(update={"place": str(same)})) == key(config)
    assert key(config.model_copy(update={"place": str(other)})) != key(config)


def test_own_code_counts(config: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(config)
    monkeypatch.setitem(LOADED, Path("own.py"), TextFile(Path("own.py"), "x = 1"))

    assert key(config) != before


def test_a_key_is_the_same_in_another_session(config: Scenario) -> None:
    assert key(load_scenario()) == key(load_scenario())


def drawn(value: float) -> Draw:
    """Set a number of a programme, which only a plan that pays for it reads."""
    numbers = {"programmes": {"link_worker": {"capacity.people": value}}}
    return lambda config: config.model_copy(update=numbers) if config.plan else config


def test_work_is_in_balanced_order(config: Scenario) -> None:
    paying = config.model_copy(update={"name": "paying", "plan": [PAID]})
    twice = {"paying": config.replicates, "status_quo": config.replicates}
    runs = plan([paying, config], Stage(twice, draws=3), [drawn(40.0), drawn(50.0), drawn(60.0)])

    told = [(run.draw, run.replicate, run.config.name) for run in runs]
    in_turn = [(0, 0), (0, 1), (1, 0), (2, 1), (3, 0)]
    assert told == [(d, k, name) for d, k in in_turn for name in ("paying", "status_quo")]
    assert [run.number for run in runs] == list(range(10))


@pytest.mark.parametrize(("each", "n"), [(1, 5), (2, 5), (5, 5), (3, 4)])
def test_each_draw_takes_so_many_seeds_and_all_seeds_are_taken_alike(each: int, n: int) -> None:
    runs = pd.DataFrame(asked_in([Stage({"plan": n, "usual": n}, 20, each)]), columns=["scenario", "draw", "replicate"])
    drawn = runs[runs["draw"] > 0]

    assert not runs.duplicated().any()
    assert set(drawn.groupby(["scenario", "draw"]).size()) == {each}
    assert set(drawn.groupby(["scenario", "replicate"]).size()) == {20 * each // n}
    # A plan has the seeds of its comparator in every draw.
    of = {name: set(map(tuple, rows[["draw", "replicate"]].to_numpy())) for name, rows in runs.groupby("scenario")}
    assert of["plan"] == of["usual"]
    # Cut off anywhere, the draws that were lived are the first ones.
    first = drawn["draw"].to_numpy()[: 2 * 20]
    assert (np.diff(first) >= 0).all()


def test_draws_that_a_design_compares_take_the_same_seeds_and_blocks_take_all_in_turn() -> None:
    size, n_blocks, n_seeds, each = 4, 8, 4, 2
    asked = asked_in([Stage({"plan": n_seeds}, size * n_blocks, each, draws_together=size)])
    runs = pd.DataFrame(asked, columns=["scenario", "draw", "replicate"]).query("draw > 0")
    seeds = runs.groupby("draw")["replicate"].agg(frozenset)

    assert all(seeds.iloc[first : first + size].nunique() == 1 for first in range(0, size * n_blocks, size))
    assert set(runs.groupby("replicate").size()) == {size * n_blocks * each // n_seeds}


def test_a_campaign_lives_each_block_of_a_saltelli_design_at_one_seed(config: Scenario, tmp_path: Path) -> None:
    """At seeds of its own, a number that enters nowhere would seem to matter: its total index is exactly 0 so."""
    first, exchanged, second = (40.0, 44.0), ((50.0, 44.0), (40.0, 46.0)), (50.0, 46.0)
    names = ["programmes.link_worker.capacity.people", "unit_costs.gp"]
    draws = pd.DataFrame([first, *exchanged, second] * 2, pd.RangeIndex(1, 9, name="draw"), names)
    paying = config.model_copy(update={"plan": [PAID]})
    runs = Results(run_campaign([paying], tmp_path / "out", draws=draws).folder).runs.query("draw > 0")

    assert runs.sort_values("draw")["replicate"].tolist() == [0] * 4 + [1] * 4


def test_more_replicates_leave_the_seeds_of_a_draw_and_more_draws_spread_over_all() -> None:
    first, more = Stage({"plan": 2}, 4), Stage({"plan": 4}, 8)
    before, after = asked_in([first]), asked_in([first, more])

    assert after[: len(before)] == before
    assert [replicate for _, draw, replicate in after if draw > 4] == [0, 1, 2, 3]
    assert sorted(draw for _, draw, _ in after if draw) == list(range(1, 9))


def test_runs_of_one_key_are_lived_once_and_stand_for_each(config: Scenario, tmp_path: Path) -> None:
    paying = config.model_copy(update={"name": "paying", "plan": [PAID]})
    found = run_campaign(
        [paying, config],
        tmp_path / "out",
        comparators={"paying": "status_quo"},
        draws=pd.DataFrame({"programmes.link_worker.capacity.people": [40.0, 50.0]}, pd.Index([1, 2], name="draw")),
        draw_replicates=2,
    )
    results = Results(found.folder)
    runs = results.runs

    assert runs["run"].tolist() == list(range(12))
    of_comparator = runs[runs["scenario"] == "status_quo"]
    assert of_comparator.groupby("replicate")["lived_run"].unique().map(list).tolist() == [[1], [3]]
    assert of_comparator.groupby("replicate")["digest"].nunique().tolist() == [1, 1]
    assert (runs[runs["scenario"] == "paying"]["lived_run"] == runs[runs["scenario"] == "paying"]["run"]).all()
    by_run = results.monthly.groupby("run").size()
    assert by_run.index.tolist() == list(range(12))
    assert by_run.nunique() == 1
    assert set(results.monthly[results.monthly["run"] == 7]["draw"]) == {2}


def test_a_run_that_stands_for_another_has_the_rows_it_would_have_had(config: Scenario, tmp_path: Path) -> None:
    other = config.model_copy(update={"name": "other"})
    together = run_campaign([config, other], tmp_path / "together").results
    alone = run_campaign([other], tmp_path / "alone").results

    for table in ("monthly", "people", "services", "ledger", "budgets"):
        ours, theirs = (getattr(one, table) for one in (together, alone))
        ours = ours[ours["scenario"] == "other"].drop(columns="run").reset_index(drop=True)
        assert ours.equals(theirs.drop(columns="run"))
