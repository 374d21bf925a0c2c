"""Plans side by side: one table over places, a head where places differ, and what a WELLBY more costs."""

import io
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from model.analysis.appraise import appraise
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, MEASURES, Drawn, drawn
from model.campaign.studies import run_study
from model.inputs.study import Study
from model.reporting.findings import figures, findings, where_more_is
from model.reporting.league import NOT_CLEAR, League, league
from model.reporting.plan_names import plan_names

HUB, PEERS = (f"plan.{name}.budget_gbp_per_head_per_year" for name in ("community_hub", "peer_support_group"))


def printed(answer) -> str:
    page = io.StringIO()
    Console(file=page, width=100, highlight=False).print(answer)
    return page.getvalue()


def facts(place: str, people: int = 1_000, variant: str = "full", title: str = "A shift", **design) -> dict:
    return {
        "title": title,
        "place_name": place,
        "real_population": people,
        "structure": {"variant": variant},
        "design": {"base": "shift"} | design,
    }


def nothing_to_warn_of() -> SimpleNamespace:
    """Results in which no plan has an entry and no sample is small."""
    return SimpleNamespace(
        manifest={"scenarios": defaultdict(lambda: {"plan": [], "plan_in_force": []})},
        programmes=pd.DataFrame(columns=["scenario", "draw", "plan_entry", "spend_gbp", "enrolled"]),
        runs=pd.DataFrame(columns=["scenario", "place", "place_name", "sample_size"]),
        neighbourhoods=pd.DataFrame(columns=["place", "neighbourhood"]),
    )


def plan(
    name: str, usual: str, about: dict, returned: float = 2.0, results: SimpleNamespace | None = None
) -> SimpleNamespace:
    their = about | {"title": "As it is", "design": {"base": "usual"}}
    compared = SimpleNamespace(
        scenario=name,
        comparator=usual,
        facts=about,
        their_facts=their,
        years=5,
        results=results or nothing_to_warn_of(),
    )
    appraisal = SimpleNamespace(
        gained=lambda: Estimate(1.0, 0.5, 1.5), ratio_of=lambda _: Estimate.exact(returned), has_lives=False
    )
    return SimpleNamespace(comparison=compared, appraisal=appraisal)


def outcomes(cost: float, wellbys: float, apart: float = 0.0) -> Drawn:
    """A plan that costs and gains so much in the mean of two seeds, which differ by ``apart`` in what is gained."""
    gained = np.array([wellbys - apart, wellbys + apart])
    rows = pd.DataFrame(dict.fromkeys(MEASURES, cost) | {"wellbys": gained, ANSWER: 10.0 * gained - cost})
    rows.index = pd.MultiIndex.from_tuples([(0, 1), (0, 2)], names=["draw", "seed"])
    paybacks = pd.DataFrame({"social": [np.nan]}, pd.Index([0], name="draw"))
    return Drawn(rows, paybacks, dict.fromkeys(MEASURES, 0.0), pd.DataFrame(), 5)


def in_one_place(**found: Drawn) -> League:
    titles = {name: facts("Wigan", title=name, base=name) for name in found}
    return League({name: plan(name, "usual", own) for name, own in titles.items()}, found)


def test_plans_whose_gain_is_not_credible_are_named_with_the_answer():
    found = {"hub": outcomes(10.0, 5.0), "work": outcomes(30.0, 6.0)}
    titles = {name: facts("Wigan", title=name, base=name) for name in found}
    judged = {name: plan(name, "usual", own) for name, own in titles.items()}
    judged["work"] = plan("work", "usual", titles["work"], returned=10.5)
    assert "A return or an effect is larger than is credible: work." in printed(league(judged, found))


def warned_of(n_plans: int) -> str:
    """What is said of plans of which none has helped anybody, in a small sample."""
    names = [f"plan{k}" for k in range(n_plans)]
    results = nothing_to_warn_of()
    asked = {"service": None, "budget_gbp_per_year": 600_000.0}
    for name in names:
        entry = {"plan": [asked], "plan_in_force": [{"label": "community_hub"}], "years": 5}
        results.manifest["scenarios"][name] = entry
    rows = {"plan_entry": "community_hub", "spend_gbp": 1.0, "enrolled": 0, "draw": 0}
    results.programmes = pd.DataFrame([rows | {"scenario": name} for name in names])
    results.runs = pd.DataFrame({"scenario": names, "place": "wigan", "place_name": "Wigan", "sample_size": 150})
    results.neighbourhoods = pd.DataFrame({"place": "wigan", "neighbourhood": [0]})
    judged = {name: plan(name, "usual", facts("Wigan", title=name, base=name), results=results) for name in names}
    found = {name: outcomes(10.0, 5.0 + k) for k, name in enumerate(names)}
    return " ".join(printed(league(judged, found)).split())


def test_what_each_plan_alone_warns_of_stands_under_the_table_of_all():
    words = warned_of(2)
    for name in ("plan0", "plan1"):
        assert f"{name}: Community hub: £600,000 a year helped nobody to take part." in words
    assert words.count("Wigan: the sample has 150 residents in each neighbourhood.") == 1
    assert "more warning" not in words


def test_of_many_warnings_the_first_are_told_and_the_others_counted():
    words = warned_of(9)
    assert words.count("helped nobody") == 6
    assert "3 more warnings of this kind: upstream show --each has all." in words


def test_each_step_costs_the_difference_in_cost_by_the_difference_in_wellbys():
    one = in_one_place(hub=outcomes(10.0, 5.0), both=outcomes(40.0, 11.0), waste=outcomes(50.0, 10.0))
    assert one.steps("usual") == {"hub": "2", "waste": "dominated", "both": "5"}
    assert one.groups == {"usual": ["hub", "waste", "both"]}


def test_a_plan_that_a_mixture_of_two_others_beats_is_said_to_be():
    one = in_one_place(hub=outcomes(10.0, 5.0), work=outcomes(30.0, 6.0), both=outcomes(40.0, 11.0))
    assert one.steps("usual")["work"] == "mix dominates"


def test_no_price_is_told_where_the_gain_may_be_chance():
    one = in_one_place(hub=outcomes(10.0, 5.0, apart=5.0), both=outcomes(40.0, 11.0))
    assert one.steps("usual") == {"hub": NOT_CLEAR, "both": NOT_CLEAR}


def test_a_plan_that_costs_less_than_nothing_is_the_first_and_not_set_against_the_comparator():
    one = in_one_place(hub=outcomes(-10.0, 5.0), both=outcomes(20.0, 11.0))
    assert one.steps("usual") == {"hub": "costs least", "both": "5"}


def test_places_compare_a_head_and_come_in_order_of_what_they_gain():
    judged = {
        "shift-blaby": plan("shift-blaby", "usual-blaby", facts("Blaby", 100, title="A shift, Blaby")),
        "shift-wigan": plan("shift-wigan", "usual-wigan", facts("Wigan", 400, title="A shift, Wigan")),
    }
    one = League(judged, {"shift-blaby": outcomes(200.0, 10.0), "shift-wigan": outcomes(800.0, 80.0)})
    cost = {name: one.outcome(name, one.columns()[0], "by_chance").mean for name in judged}
    assert cost == {"shift-blaby": 2.0, "shift-wigan": 2.0}
    assert [label for label, _, _ in one.rows()] == ["Wigan", "Blaby"]
    assert one.title == "A shift against As it is: 2 places, each against its own, over 5 years"
    words = printed(league(one.judged, one.found))
    assert words.count("Wigan") == words.count("Blaby") == 2  # in the answer and in the table


def test_plans_are_called_by_what_tells_them_apart():
    one = plan("a", "usual", facts("Wigan", **{HUB: 3, PEERS: 9}))
    other = plan("b", "usual", facts("Wigan", **{HUB: 6, PEERS: 9}))
    names = plan_names([one.comparison, other.comparison])
    assert [name.whole for name in names.values()] == ["community hub £3", "community hub £6"]


def test_variants_of_one_place_are_told_apart():
    compared = [plan(name, "usual", facts("Wigan", variant=name)).comparison for name in ("full", "no_buffer")]
    assert [name.where for name in plan_names(compared).values()] == ["full", "no buffer"]


def test_plans_with_one_title_are_called_by_their_names():
    compared = [plan(name, "usual", facts("Wigan")).comparison for name in ("small", "large")]
    assert [name.whole for name in plan_names(compared).values()] == ["small", "large"]


@pytest.fixture(scope="module")
def two_places(tmp_path_factory):
    study = Study(
        scenarios=["people_powered_shift"],
        comparator="status_quo",
        places=["blaby", "camden"],
        population=300,
        years=1,
        replicates=2,
    )
    return run_study(study, tmp_path_factory.mktemp("league") / "out", jobs=1, test=False).results


def test_before_a_run_has_finished_there_are_no_figures_and_no_more_to_show(tmp_path):
    study = Study(scenarios=["people_powered_shift"], comparator="status_quo", population=300, years=1, replicates=1)
    overlong = run_study(study, tmp_path / "out", jobs=1, run_timeout=1e-9).results

    assert set(overlong.runs["status"]) == {"failed"}
    assert (figures(overlong), where_more_is(overlong)) == ([], [])


@pytest.mark.slow
def test_a_plan_in_several_places_is_one_table_and_one_figure(two_places):
    words = printed(findings(two_places))
    assert words.startswith("People-powered shift against Status quo: 2 places, each against its own, over 1 year\n")
    assert words.count("by chance alone") == 2
    assert "compared with" not in words
    assert [path.name for path in figures(two_places)] == ["league.png"]
    assert where_more_is(two_places)[-1].endswith("--each")
    both = printed(findings(two_places, each=True))
    assert both.count("compared with Status quo") == 2


@pytest.mark.slow
def test_amounts_a_head_are_those_of_the_appraisal(two_places):
    judged = {one.comparison.scenario: one for one in appraise(two_places)}
    one = League(judged, drawn(two_places, judged))
    for name, own in judged.items():
        people = own.comparison.facts["real_population"]
        found = one.outcome(name, one.columns()[2], "by_chance").mean
        assert found == pytest.approx(1_000 * own.appraisal.wellbys.sum().mean() / people)
