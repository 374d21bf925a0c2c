"""Which numbers are uncertain, how likely each of their values is, and which go together."""

import numpy as np
import pytest
from scipy.stats import norm

from model.core.errors import EvidenceError, ScenarioError
from model.inputs.catalogue import load_services
from model.inputs.parameters import LIMITS, PROBABILITY_HELD, Parameter, add_parameters, load_parameters
from model.inputs.programmes import bundled_programmes, load_programme
from model.inputs.scenario import load_scenario
from model.inputs.uncertainty import (
    Correlation,
    Uncertain,
    chosen_numbers,
    load_correlations,
    normal_correlations,
    uncertain_numbers,
    usual_distribution,
)

CHANCES = np.linspace(0.0005, 0.9995, 2_000)
PLAN, USUAL = load_scenario("people_powered_shift"), load_scenario()


def every_programme():
    plan = [{"programme": name, "budget_gbp_per_year": 1e5} for name in bundled_programmes()]
    return USUAL.model_copy(update={"plan": plan})


EVERY_NUMBER = list(uncertain_numbers([every_programme()]).values())


def test_uniform_is_as_likely_everywhere():
    one = Uncertain("x", 2.0, 1.0, 5.0, "uniform")

    assert one.quantile(CHANCES) == pytest.approx(1.0 + 4.0 * CHANCES)


@pytest.mark.parametrize("value", [1.0, 2.0, 5.0])
def test_triangular_has_its_closed_form_also_with_the_value_at_an_end(value):
    one, low, high = Uncertain("x", value, 1.0, 5.0, "triangular"), 1.0, 5.0
    left = low + np.sqrt(CHANCES * (high - low) * (value - low))
    right = high - np.sqrt((1.0 - CHANCES) * (high - low) * (high - value))

    assert one.quantile(CHANCES) == pytest.approx(np.where(left < value, left, right))


def test_lognormal_has_a_normal_logarithm_with_a_spread_of_its_own_on_each_side():
    one = Uncertain("x", 1.2, 1.0, 3.0, "lognormal")
    u = np.array([0.001, 0.2, 0.5, 0.7, 0.999])
    sides = np.where(u < 0.5, np.log(1.2 / 1.0), np.log(3.0 / 1.2)) / norm.ppf(0.975)

    assert np.log(one.quantile(u)) == pytest.approx(norm.ppf(u, np.log(1.2), sides))
    assert one.quantile(np.array([0.5])) == pytest.approx([1.2])


@pytest.mark.parametrize("distribution", PROBABILITY_HELD)
def test_a_range_holds_the_probability_that_is_stated(distribution):
    one, held = Uncertain("x", 1.2, 1.0, 3.0, distribution), PROBABILITY_HELD[distribution]
    outside = (1.0 - held) / 2.0

    assert one.quantile(np.array([outside, 1.0 - outside])) == pytest.approx([1.0, 3.0])


def test_what_cannot_be_is_moved_to_the_nearest_that_can():
    ratio = Uncertain("x", 0.756, 0.6, 1.0, "lognormal", 0.05, 1.0)
    values = ratio.quantile(np.array([0.0, 0.5, 0.99, 1.0]))

    assert values == pytest.approx([0.05, 0.756, 1.0, 1.0])


@pytest.mark.parametrize("one", EVERY_NUMBER, ids=lambda one: one.name)
def test_every_uncertain_number_rises_with_its_chance_and_stays_what_it_can_be(one):
    values = one.quantile(np.array([0.0, *CHANCES, 1.0]))

    assert (np.diff(values) >= 0.0).all()
    assert (one.least <= values).all() and (values <= one.most).all()
    assert values[0] < one.value or one.value == one.low
    assert one.low < one.high


def test_every_number_of_a_bundled_programme_with_a_range_is_uncertain():
    names = {one.name for one in EVERY_NUMBER}
    ranged = {
        f"programmes.{name}.{key}"
        for name in bundled_programmes()
        for key, number in load_programme(name).numbers.items()
        if number.range[0] < number.range[1]
    }

    assert ranged == {name for name in names if name.startswith("programmes.")}


def test_numbers_of_programmes_and_parameters_have_the_limits_that_setting_them_has():
    by_name = {one.name: one for one in EVERY_NUMBER}
    entry, stock = by_name["parameters.conveyed_share"], by_name["programmes.family_group_conferencing.effects.0.ratio"]

    assert (entry.least, entry.most) == LIMITS["share"]
    assert (stock.least, stock.most) == (0.05, 1.0)  # nothing brings people into care
    assert by_name["programmes.link_worker.enrolment.gp"].most == 1.0  # an optional number has its limits too


def test_an_effect_can_be_none_where_its_range_ends_at_none():
    ratio = next(one for one in EVERY_NUMBER if one.name == "programmes.peer_support_group.effects.1.improve")

    assert ratio.quantile(np.array([0.02]))[0] < 1.0 < ratio.quantile(np.array([0.03]))[0]


def test_the_best_estimate_of_a_skewed_range_is_the_middle_of_its_draws():
    assert usual_distribution(50.0, 25.0, 2_000.0) == "lognormal"
    assert usual_distribution(8.0, 8.0, 60.0) == usual_distribution(0.0, 0.0, 0.2) == "triangular"


def test_fixed_and_fitted_numbers_are_never_drawn():
    entries, names = load_parameters().entries, {one.name for one in EVERY_NUMBER}
    never = {
        f"parameters.{name}" for name, one in entries.items() if one.distribution == "fixed" or one.status == "fitted"
    }

    assert len(never) > 30
    assert not never & names


def test_what_a_scenario_sets_is_drawn_in_no_scenario_of_the_study():
    number = "programmes.community_hub.effects.1.ties"
    own = PLAN.model_copy(
        update={
            "name": "own",
            "parameters": {"contagion_content": 0.0, "meet_in_club": 0.3, "gp_unit_cost": 40.0},
            "programmes": {"community_hub": {"effects.1.ties": 2.0}},
        }
    )
    names = uncertain_numbers([PLAN, own, USUAL])

    assert number in uncertain_numbers([PLAN, USUAL])
    # Parts of one whole are set together: what one leaves to the others is not drawn either.
    gone = {
        number,
        "unit_costs.gp",
        *(f"parameters.{name}" for name in ("contagion_content", "meet_in_club", "meet_in_street")),
    }
    assert not gone & set(names)
    with pytest.raises(ScenarioError, match=f"{number}.*is set by the scenario own"):
        chosen_numbers([number], [PLAN, own, USUAL])


def test_cashable_shares_are_not_drawn_where_budgets_react_to_them():
    pooled = load_scenario("shift_pooled")

    assert not any(name.startswith("cashable.") for name in uncertain_numbers([pooled, USUAL]))
    with pytest.raises(ScenarioError, match="decides the budgets of the scenario shift_pooled"):
        chosen_numbers(["cashable.a_and_e"], [pooled, USUAL])


def test_programmes_of_one_name_with_different_numbers_cannot_be_drawn_together(tmp_path):
    text = bundled_programmes()["community_hub"].read_text(encoding="utf-8")
    (tmp_path / "community_hub.toml").write_text(
        text.replace("range = [0.5, 1.0]", "range = [0.4, 1.0]", 1), encoding="utf-8"
    )
    (tmp_path / "own.toml").write_text(
        '[[plan]]\nprogramme = "community_hub.toml"\nbudget_gbp_per_year = 1e5\n', encoding="utf-8"
    )
    own = load_scenario(tmp_path / "own.toml")

    assert any(name.startswith("programmes.community_hub") for name in uncertain_numbers([own, USUAL]))
    with pytest.raises(ScenarioError, match="two programmes of this name differ"):
        uncertain_numbers([PLAN, own])


def test_numbers_are_chosen_by_all_group_beginning_or_name_once_each_in_one_order():
    everything = [one.name for one in chosen_numbers(["all"], [PLAN, USUAL])]
    some = [
        one.name for one in chosen_numbers(["unit_costs", "unit_costs.gp", "programmes.community_hub"], [PLAN, USUAL])
    ]

    assert everything == list(uncertain_numbers([PLAN, USUAL]))
    assert some == [name for name in everything if name.startswith(("unit_costs.", "programmes.community_hub."))]
    assert [one.name for one in chosen_numbers(["unit_costs.gp"], [PLAN])] == ["unit_costs.gp"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("unit_costs.gpp", r"uncertainties = 'unit_costs.gpp': is no uncertain number.*Did you mean 'unit_costs.gp'"),
        ("apraisal", "is no uncertain number.*Did you mean 'appraisal'"),
        ("parameters.frailty_s", "Did you mean 'parameters.frailty_sd'"),
        ("parameters.frailty_sd", "is drawn in sets with others"),
        ("parameters.weight_local", "is fixed"),
        ("parameters.gp_unit_cost", "is drawn as unit_costs.gp"),
        ("programmes.befriending.effects.1.improve", "no scenario of the study pays for this programme"),
        ("", "is no uncertain number. Allowed: all; a group: ensemble, parameters, programmes"),
    ],
)
def test_a_word_that_names_no_uncertain_number_is_refused_with_the_reason(word, says):
    with pytest.raises(ScenarioError, match=says):
        chosen_numbers([word], [PLAN, USUAL])


def test_numbers_of_services_that_nobody_simulates_are_refused():
    few = USUAL.model_copy(update={"services": ("gp",)})

    assert [one.name for one in chosen_numbers(["unit_costs"], [few])] == ["unit_costs.gp"]
    with pytest.raises(ScenarioError, match="no scenario has this service"):
        chosen_numbers(["cashable.a_and_e"], [few])
    with pytest.raises(ScenarioError, match=r"programmes.*no scenario of the study has such a number"):
        chosen_numbers(["programmes"], [few])


def test_what_a_variant_cuts_is_drawn_only_where_another_variant_reads_it():
    cut = USUAL.model_copy(update={"name": "cut", "structure": {"variant": "no_contagion"}})

    assert "parameters.recognition_normality" not in uncertain_numbers([cut])
    assert "parameters.recognition_normality" in uncertain_numbers([cut, USUAL])


@pytest.mark.parametrize(("low", "value"), [(0.0, 1.0), (1.0, 1.0)])
def test_a_lognormal_needs_a_range_above_0_around_its_value(low, value, tmp_path):
    one = Parameter(
        "mine", value, "ratio", low, 2.0, "lognormal", "D", "mine", "assumption", why="A test.", status="assumed"
    )

    with pytest.raises(EvidenceError, match=r"parameters.mine.range = .*is not the range of a lognormal"):
        add_parameters([one], [], tmp_path / "own.py")


# --- Numbers that go together ----------------------------------------------------------------


def test_numbers_that_go_together_are_there():
    names = {one.name for one in EVERY_NUMBER}

    assert {name for one in load_correlations() for name in one.names} <= names


def test_correlations_are_those_of_normal_numbers_with_the_rank_correlations_stated():
    one = Correlation(names=("a", "b"), rho=-0.9, source="assumption", why="A test.")
    matrix = normal_correlations(["a", "c", "b"], [one])
    # Of two normal numbers with correlation r, the rank correlation is 6 / pi times the arc sine of r / 2.
    back = 6.0 / np.pi * np.arcsin(matrix[0, 2] / 2.0)

    assert back == pytest.approx(-0.9)
    assert matrix == pytest.approx(matrix.T)
    assert (matrix[1] == [0.0, 1.0, 0.0]).all()


def test_all_that_go_together_can():
    matrix = normal_correlations([one.name for one in EVERY_NUMBER])

    assert np.linalg.eigvalsh(matrix).min() > 0.01


def test_numbers_that_cannot_go_together_are_refused():
    three = [
        Correlation(names=pair, rho=rho, source="assumption", why="A test.")
        for pair, rho in ((("a", "b"), 0.9), (("b", "c"), 0.9), (("a", "c"), -0.9))
    ]

    with pytest.raises(EvidenceError, match="no numbers can go together as these do"):
        normal_correlations(["a", "b", "c"], three)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('names = ["a", "b"]\nrho = 1.0\nsource = "assumption"\nwhy = "x"', r"correlation.0.rho = 1.0"),
        ('names = ["a"]\nrho = 0.5\nsource = "assumption"\nwhy = "x"', r"correlation.0.names"),
        ('names = ["a", "b"]\nrho = 0.5\nsource = "gmca2051"\nwhy = "x"', "unknown source. Did you mean 'gmca2015'"),
        ('names = ["a", "a"]\nrho = 0.5\nsource = "assumption"\nwhy = "x"', "stand together twice"),
        ('names = ["a", "b"]\nrho = 0.5\nsource = "assumption"', r"correlation.0.why"),
    ],
)
def test_a_correlation_that_cannot_be_used_is_refused_by_its_key(entry, says, tmp_path):
    path = tmp_path / "correlations.toml"
    path.write_text(f"[[correlation]]\n{entry}\n", encoding="utf-8")

    with pytest.raises(EvidenceError, match=says):
        load_correlations(path)


def test_services_all_have_an_uncertain_price():
    assert {f"unit_costs.{name}" for name in load_services()} <= {one.name for one in EVERY_NUMBER}
