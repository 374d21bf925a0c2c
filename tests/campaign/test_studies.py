"""A study lived: its runs, draws and comparators in the results folder."""

import pandas as pd
import pytest

from model import Results, run_study
from model.campaign import executors, taken_over
from model.campaign.continued import extend
from model.core.errors import EvidenceError, ResultsError, ScenarioError
from model.inputs.ensemble import MADE_BY, code_of_sets, load_ensemble
from model.inputs.study import Study

HUBS = "plan.community_hub.budget_gbp_per_year"
SMALL = {
    "scenarios": ["people_powered_shift"],
    "comparator": "status_quo",
    "places": ["sandbeck", "wigan"],
    "levers": {HUBS: [1e5, 2e5], "burn_in_years": [0]},
    "population": 200,
    "years": 1,
    "replicates": 2,
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    study = Study.model_validate({**SMALL, "draws": 2, "uncertainties": ["programmes.community_hub", "unit_costs"]})
    return run_study(study, tmp_path_factory.mktemp("study") / "out", jobs=1).results


def test_every_scenario_has_every_draw_and_replicate(lived):
    runs = lived.runs.groupby(["scenario", "draw", "replicate"]).size()

    # Two seeds at the best estimates; two draws, which take one each.
    assert (len(runs), set(runs)) == (6 * (2 + 2), {1})
    assert set(lived.runs["status"]) == {"finished"}


def test_the_manifest_says_what_each_scenario_is_and_is_compared_with(lived):
    manifest = Results(lived.folder).manifest
    name = "people_powered_shift-wigan-2"

    assert manifest["comparators"][name] == "status_quo-wigan"
    assert manifest["scenarios"][name]["design"][HUBS] == 2e5


def test_draws_that_only_programmes_read_leave_the_comparator_as_it_is(lived):
    usual = lived.runs[lived.runs["scenario"] == "status_quo-wigan"]

    assert usual.groupby("replicate")["digest"].nunique().tolist() == [1, 1]


def test_the_table_of_draws_has_every_number_that_was_drawn(lived):
    draws = pd.read_parquet(lived.folder / "draws.parquet")

    assert set(draws["draw"]) == {1, 2}
    assert {name.split(".")[0] for name in draws["name"]} == {"programmes", "unit_costs"}


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(tmp_path):
    study = Study.model_validate({**SMALL, "draws": 2, "uncertainties": ["unit_cost"]})
    with pytest.raises(ScenarioError, match="unit_cost"):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


FEW = {**SMALL, "places": ["sandbeck"], "levers": {"burn_in_years": [0]}}
DRAWN = {**FEW, "uncertainties": ["programmes.community_hub", "unit_costs"]}


def told(folder):
    """Return what every run came to, whatever its number."""
    return Results(folder).runs.set_index(["scenario", "draw", "replicate"])["digest"].sort_index()


def test_draws_that_are_added_are_those_of_a_study_that_had_them(tmp_path):
    whole = run_study(Study.model_validate({**DRAWN, "draws": 6}), tmp_path / "whole", jobs=1).folder
    folder = run_study(Study.model_validate({**DRAWN, "draws": 3}), tmp_path / "out", jobs=1).folder
    before = told(folder)
    extend(folder, draws=6, jobs=1)

    assert told(folder).equals(told(whole))
    assert told(folder)[before.index].equals(before)
    assert Results(folder).draws.equals(Results(whole).draws)
    assert Results(folder).manifest["status"] == "finished"
    with pytest.raises(ScenarioError, match="--draws = 6: adds nothing"):
        extend(folder, draws=6)
    with pytest.raises(ScenarioError, match="draws = 5: is fewer than were drawn"):
        extend(folder, draws=5)


def own_sets(path, rates, code=None):
    rows = [f"full,{k},{rate}" for k, rate in enumerate(rates, 1)]
    path.write_text("\n".join([f"{MADE_BY}{code or code_of_sets()}", "variant,member,worsen_coping", *rows]) + "\n")
    return path


def test_a_study_draws_from_sets_of_ones_own_and_goes_on_with_the_same_file(tmp_path):
    sets = own_sets(tmp_path / "mine.csv", [0.1, 0.2])
    study = Study.model_validate({**FEW, "draws": 2, "uncertainties": ["ensemble"], "ensemble": str(sets)})
    folder = run_study(study, tmp_path / "out", jobs=1).folder
    extend(folder, draws=4, jobs=1)
    drawn = Results(folder).draws.pivot(index="draw", columns="name", values="value")

    assert set(drawn["ensemble.full.worsen_coping"]) == {0.1, 0.2}
    assert Results(folder).manifest["drawn_by"]["ensemble"]["file"] == str(sets)
    own_sets(sets, [0.1, 0.3])
    with pytest.raises(EvidenceError, match=r"mine\.csv: has changed since draws were made from it"):
        extend(folder, draws=6, jobs=1)


def test_a_variant_with_fewer_sets_begins_again_with_its_first(tmp_path):
    sets = own_sets(tmp_path / "mine.csv", [0.1, 0.2])
    sets.write_text(sets.read_text() + "no_buffer,1,0.3\n")
    found = load_ensemble(sets)

    assert found.n_members == 2
    assert [found.parameters_of("no_buffer", k)["worsen_coping"] for k in (1, 2)] == [0.3, 0.3]
    assert [found.parameters_of("full", k)["worsen_coping"] for k in (1, 2)] == [0.1, 0.2]


def test_sets_that_other_code_made_are_refused(tmp_path):
    sets = own_sets(tmp_path / "mine.csv", [0.1, 0.2], code="0123abcd")
    study = Study.model_validate({**FEW, "draws": 2, "uncertainties": ["ensemble"], "ensemble": str(sets)})
    with pytest.raises(EvidenceError, match=r"mine\.csv: code = '0123abcd': was made by other code"):
        run_study(study, tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_a_latin_hypercube_is_not_drawn_on(tmp_path):
    study = Study.model_validate({**DRAWN, "draws": 2, "design": "latin_hypercube"})
    folder = run_study(study, tmp_path / "out", jobs=1).folder
    with pytest.raises(ScenarioError, match="a design latin_hypercube of 2 draws cannot be extended"):
        extend(folder, draws=4)
    assert Results(folder).draws["draw"].nunique() == 2


def test_a_plan_and_its_comparator_have_the_seeds_of_each_draw_alike(tmp_path):
    study = Study.model_validate({**DRAWN, "draws": 4, "replicates": 3, "draw_replicates": 2})
    compared = run_study(study, tmp_path / "out", jobs=1).results.compare()
    pairs = compared[["draw", "seed"]].drop_duplicates().groupby("draw").size()

    assert pairs.tolist() == [3, 2, 2, 2, 2]


def test_a_study_with_another_place_and_lever_takes_over_what_is_lived_already(tmp_path, monkeypatch):
    less = run_study(Study.model_validate({**DRAWN, "draws": 2}), tmp_path / "less", jobs=1).folder
    more = {**DRAWN, "draws": 4, "places": ["sandbeck", "wigan"], "levers": {HUBS: [1e5], "burn_in_years": [0]}}
    more = {**more, "scenarios": ["people_powered_shift", "link_workers"]}
    whole = run_study(Study.model_validate(more), tmp_path / "whole", jobs=1).results
    lived = []
    monkeypatch.setattr(executors, "live_here", watched(executors.live_here, lived))
    found = run_study(Study.model_validate(more), tmp_path / "out", jobs=1, sources=[less]).results

    keys = set(Results(less).runs["key"])
    assert lived == [n for n in whole.runs["lived_run"].unique() if whole.runs["key"][n] not in keys]
    assert 0 < len(lived) < whole.runs["lived_run"].nunique()
    assert told(found.folder).equals(told(whole.folder))
    for name in ("monthly", "people", "services", "programmes", "ledger", "budgets"):
        assert getattr(found, name).equals(getattr(whole, name))


def watched(live_here, lived):
    """Note the runs that are lived."""

    def live(tasks, *rest):
        lived.extend(sorted(run.number for task in tasks for run in task.runs))
        live_here(tasks, *rest)

    return live


def test_a_folder_of_other_code_is_not_taken_over(lived, tmp_path, monkeypatch):
    monkeypatch.setattr(taken_over, "changes_since", lambda manifest: ["code (1, now 2)"])
    with pytest.raises(ResultsError, match=r"--from: was run with other code or data: code \(1, now 2\)"):
        run_study(Study.model_validate(FEW), tmp_path / "out", sources=[lived.folder])
    assert not (tmp_path / "out").exists()
