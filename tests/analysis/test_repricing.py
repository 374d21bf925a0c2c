"""Repricing by arrays says what the appraisal says, at every look."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from model import Results
from model.analysis.appraise import Look, appraise_as
from model.analysis.doubt import BEST
from model.analysis.estimates import estimate
from model.analysis.outcomes import MEASURES, drawn
from model.analysis.repricing import Repricing
from model.analysis.repricing_file import read_repricing, write_repricing
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError, ScenarioError
from model.inputs.scenario import Growth, Scenario

pytestmark = pytest.mark.slow

ALIKE = 1e-9
"""Relative to the largest of an outcome: sums are taken in another order, and nothing else differs."""

PLANS = {
    "helped": {
        "plan": [
            {"programme": "peer_support_group", "budget_gbp_per_year": 4_000_000},
            {"programme": "parent_peer_support", "budget_gbp_per_year": 2_000_000},
        ],
        "budgets": {"regime": "siloed"},
    },
    "bought": {
        "plan": [
            {"programme": "parent_peer_support", "budget_gbp_per_year": 2_000_000},
            {"service": "mental_health_referral", "budget_gbp_per_year": 900_000},
        ]
    },
}

NUMBERS = {
    "unit_costs.gp": [30.0, 50.0, 41.0],
    "cashable.emergency_admission": [0.3, 0.6, 0.9],
    "appraisal.wellby_gbp": [9_000.0, 13_000.0, 17_000.0],
    "programmes.peer_support_group.effects.1.improve": [1.2, 1.9, 1.5],
}

PRICED = {"gp": 60.0, "mental_health_referral": 999.0}

LOOKS = [
    Look(
        discount=discount,
        prices=PRICED if k + j in (1, 4) else {},
        mid_year=bool(j),
        bias_on="costs" if (k + j) % 2 else "benefits",
        cashable={"gp": 0.3, "emergency_admission": 0.55} if k % 2 else {},
        wellby_gbp=20_000.0 if j else None,
        optimism_share=(None, 0.0, 0.4)[(k + 2 * j) % 3],
    )
    for k, discount in enumerate((None, 0.0, 0.035, 0.1))
    for j in range(2)
]
"""The base case, and each number of a look at every value."""


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    """One plan whose budgets react, and one that buys more of a service; unit costs grow."""
    growth = Growth(unit_costs={"all": [0.1], "gp": [0.0, 0.2]}, envelopes={"all": 0.0})
    update = {"name": "usual", "replicates": 3, "population": 800, "years": 3, "growth": growth}
    usual = town.model_copy(update=update)
    plans = [Scenario.model_validate(usual.model_dump() | {"name": name, **plan}) for name, plan in PLANS.items()]
    draws = pd.DataFrame(NUMBERS, pd.RangeIndex(1, 4, name="draw"))
    out = tmp_path_factory.mktemp("repricing") / "out"
    run_campaign(plans, out, jobs=1, comparator=usual, draws=draws, draw_replicates=2)
    return Results(out)


def drawn_at(results, look):
    return drawn(results, {one.comparison.scenario: one for one in appraise_as(results, look, BEST)})


@pytest.fixture(scope="module")
def usual(results):
    return drawn_at(results, Look())


@pytest.fixture(scope="module")
def repricings(usual):
    return {name: Repricing.of(found.judged) for name, found in usual.items()}


def assert_alike(found, expected):
    """Close to the largest of what is compared, and missing where it is."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    largest = np.nanmax(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=ALIKE, atol=ALIKE * largest)


def assert_told_alike(found, expected):
    for one, other in ((found.by_chance, expected.by_chance), (found.with_all, expected.with_all)):
        assert_alike(one.ends, other.ends)
        assert (one.is_few, one.is_nothing) == (other.is_few, other.is_nothing)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name or "base")
def test_it_says_what_the_appraisal_of_every_draw_says(results, repricings, look):
    for name, expected in drawn_at(results, look).items():
        found = repricings[name].at(look)

        assert found.outcomes.index.equals(expected.outcomes.index)
        pd.testing.assert_frame_equal(found.paybacks, expected.paybacks, check_dtype=False)
        for measure in MEASURES:
            assert_alike(found.outcomes[measure], expected.outcomes[measure])
            assert found.events[measure] == pytest.approx(expected.events[measure], rel=ALIKE)
            assert_told_alike(found.doubted[measure], expected.doubted[measure])
        _assert_pockets_alike(found, expected)
        _assert_years_alike(found, expected.judged[BEST].appraisal)


def _assert_pockets_alike(found, expected):
    them = expected.judged[BEST].appraisal
    payers = list(them.pockets()["pays"].index)
    assert sorted(found.by_payer) == payers
    pays = expected.rows(
        lambda one: one.pockets()["pays"], [estimate(row) for row in them.pockets()["pays"].to_numpy()]
    )
    for payer, both in zip(payers, pays, strict=True):
        assert_told_alike(found.by_payer[payer].pays, both)
    for lens in ("full_cost", "cash"):
        saved = expected.rows(lambda one: one.pockets()[lens], [them.saved(lens, payer=payer) for payer in payers])  # noqa: B023
        for payer, both in zip(payers, saved, strict=True):
            assert_told_alike(getattr(found.by_payer[payer], lens), both)


def _assert_years_alike(found, them):
    factors = them.settings.money_factors
    cost = them.cost_in("cash").mean(axis=1) / factors
    assert_alike(found.by_year["cost"], cost)
    for lens in ("full_cost", "cash"):
        saved = them.gains(lens).mean(axis=1) / factors
        assert_alike(found.by_year[lens], saved)
        assert_alike(found.by_year[f"cumulative_{lens}"], (saved - cost).cumsum())


def test_the_study_moves_what_is_compared(usual):
    """So that no look agrees because there is nothing to reprice."""
    assert all(usual["helped"].outcomes[measure].any() for measure in MEASURES)
    shares = {found.judged[draw].appraisal.optimism_share for found in usual.values() for draw in found.judged}
    assert len(shares) > len(PLANS) and 0.0 not in shares
    assert usual["helped"].paybacks["social"].notna().any() and usual["helped"].paybacks["social"].isna().any()
    kinds = usual["helped"].judged[BEST].appraisal.spending.index.get_level_values("kind")
    assert set(kinds) == {"programme", "usual"}  # budgets react


def test_draws_that_arrive_later_are_added(usual, repricings):
    judged = usual["helped"].judged
    early, late = ({draw: judged[draw] for draw in draws} for draws in ((0, 2), (1, 3)))
    grown, whole = Repricing.of(early).joined(Repricing.of(late)), repricings["helped"]

    assert grown.draws == whole.draws == [0, 1, 2, 3]
    look = Look(discount=0.05, prices=PRICED)
    pd.testing.assert_frame_equal(grown.at(look).outcomes, whole.at(look).outcomes, rtol=ALIKE)
    assert grown.at(look).doubted == whole.at(look).doubted


def test_a_draw_that_arrives_again_takes_the_place_of_the_earlier(usual, repricings):
    again = repricings["helped"].joined(Repricing.of({BEST: usual["helped"].judged[BEST]}))

    pd.testing.assert_frame_equal(again.at(Look()).outcomes, repricings["helped"].at(Look()).outcomes, rtol=ALIKE)


def test_draws_of_another_plan_are_refused(repricings):
    with pytest.raises(ValueError, match="not of one plan"):
        repricings["helped"].joined(repricings["bought"])


def test_appraisals_with_options_are_refused(results):
    judged = {BEST: appraise_as(results, Look(discount=0.05), BEST)[0]}
    with pytest.raises(ValueError, match="without options"):
        Repricing.of(judged)


def test_without_best_estimates_nothing_is_repriced(usual):
    alone = Repricing.of({1: usual["helped"].judged[1]})
    with pytest.raises(ValueError, match="draw 0"):
        alone.at(Look())


def test_a_price_of_what_cost_nothing_is_refused(repricings):
    arrays = repricings["helped"].arrays
    free = Repricing(replace(arrays, services=replace(arrays.services, free=("gp",))))

    assert free.at(Look(prices={"a_and_e": 300.0}))
    with pytest.raises(ScenarioError, match=r"--set unit_costs.gp = 50.0: it cost nothing in this study"):
        free.at(Look(prices={"gp": 50.0}))


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (
            Look(prices={"gpp": 50.0}),
            r"--set unit_costs.gpp = 50.0: this service is not in the study. Did you mean 'gp'",
        ),
        (Look(cashable={"gpp": 0.5}), "--set cashable.gpp = 0.5: this service is not in the study"),
        (Look(discount=1.5), "--discount = 1.5: is not a discount rate"),
    ],
)
def test_a_look_that_the_appraisal_refuses_is_refused(results, repricings, look, told):
    for ask in (repricings["helped"].at, lambda one: appraise_as(results, one, BEST)):
        with pytest.raises(ScenarioError, match=told):
            ask(look)


# --- As a file -------------------------------------------------------------------------------


@pytest.fixture
def written(repricings, tmp_path):
    path = tmp_path / "helped.npz"
    write_repricing(repricings["helped"], path)
    return path


def test_what_is_written_is_read_again(repricings, written):
    look = Look(discount=0.05, prices=PRICED)
    found, expected = (one.at(look) for one in (read_repricing(written), repricings["helped"]))

    pd.testing.assert_frame_equal(found.outcomes, expected.outcomes, check_exact=True)
    assert (found.doubted, found.by_payer) == (expected.doubted, expected.by_payer)
    assert [path.name for path in written.parent.iterdir()] == ["helped.npz"]


def test_draws_without_best_estimates_are_written_and_joined_later(usual, repricings, tmp_path):
    judged = usual["helped"].judged
    late = {draw: one for draw, one in judged.items() if draw != BEST}
    write_repricing(Repricing.of(late), tmp_path / "late.npz")
    whole = Repricing.of({BEST: judged[BEST]}).joined(read_repricing(tmp_path / "late.npz"))

    assert whole.at(Look()).doubted == repricings["helped"].at(Look()).doubted


@pytest.mark.parametrize("plan", [[], [{"programme": "peer_support_group", "budget_gbp_per_year": 0.0}]])
def test_a_plan_that_spends_nothing_is_read_again_too(town, tmp_path, plan):
    usual = town.model_copy(update={"name": "usual", "replicates": 2, "population": 400})
    free = Scenario.model_validate(
        usual.model_dump() | {"name": "free", "plan": plan, "levers": {"improve_hazard_ratio": 2}}
    )
    run_campaign([free], tmp_path / "out", jobs=1, comparator=usual)
    expected = drawn_at(Results(tmp_path / "out"), Look())["free"]
    write_repricing(Repricing.of(expected.judged), tmp_path / "free.npz")
    found = read_repricing(tmp_path / "free.npz").at(Look())

    assert found.outcomes["wellbys"].any() and not found.outcomes["cost"].any()
    for measure in MEASURES:
        assert_alike(found.outcomes[measure], expected.outcomes[measure])


def with_array(path, **changes):
    """Write a file again with changed arrays; its check sums fit."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{name: changes.get(name.replace(".", "_"), one) for name, one in arrays.items()})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b"no archive"), "not a zip file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "is no repricing"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"\x40", b"\x41")), "is no repricing"),
        (lambda path: with_array(path, use_avoided_gbp=np.zeros((2, 2))), "use.avoided_gbp has another shape or kind"),
        (lambda path: with_array(path, pairs_seed=np.zeros(9)), "pairs.seed has another shape or kind"),
        (lambda path: with_array(path, pairs_points=np.full((9, 3), np.inf)), "pairs.points has what is not a finite"),
        (lambda path: with_array(path, pairs_draw=np.arange(9)[::-1]), "is no repricing"),
        (lambda path: with_array(path, pairs_draw=np.arange(1, 10)), "is no repricing"),
        (lambda path: with_array(path, pairs_draw=np.array([{}] * 9)), "pickle"),
        (lambda path: with_array(path, about=np.array("{}")), "'format'"),
        (lambda path: with_array(path, about=np.array('{"format": 0}')), "not in this version's format"),
    ],
)
def test_a_damaged_file_is_refused(written, spoil, told):
    spoil(written)
    with pytest.raises(ResultsError, match=told) as refused:
        read_repricing(written)
    assert str(written) in str(refused.value)


def test_a_file_made_with_other_optimism_bias_is_refused(written):
    with np.load(written) as file:
        about = json.loads(str(file["about"]))
    about["optimism_bias"] = [0.5] * len(about["optimism_bias"])
    with_array(written, about=np.array(json.dumps(about)))
    with pytest.raises(ResultsError, match="other optimism bias by grade of evidence"):
        read_repricing(written)


def test_a_file_that_unpacks_to_more_than_it_holds_is_not_unpacked(written):
    with np.load(written) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(written, **arrays)
    with pytest.raises(ResultsError, match="compressed"):
        read_repricing(written)


def test_a_folder_that_cannot_be_written_is_told(repricings, tmp_path):
    with pytest.raises(ResultsError, match="cannot be written"):
        write_repricing(repricings["helped"], tmp_path / "none" / "helped.npz")
