"""The month is one list: its filters, a step of one's own in it, and what its steps read."""

from dataclasses import fields, replace

import pytest

from model import CommunityModel
from model.core.errors import InputError
from model.inputs.programmes import EFFECTS, bundled_programmes, kind_of, terms_filled
from model.simulation.month import BURN_IN, MONTHS, PHASES, STEPS, Step, steps_of, with_step


def names(steps):
    return [step.name for step in steps]


def pay_a_dividend(sim, month):
    """Pay everybody something."""


def test_a_phase_holds_its_steps_in_the_order_of_the_one_list():
    for phase in PHASES:
        for demography in (True, False):
            found = names(steps_of(STEPS, phase, demography=demography))
            assert found == [name for name in names(STEPS) if name in found]
    assert set(names(STEPS)) == {name for phase in PHASES for name in names(steps_of(STEPS, phase, demography=True))}
    assert all(step.phases and set(step.phases) <= set(PHASES) for step in STEPS)


def test_without_demography_nobody_comes_goes_or_grows_older():
    left_out = {step.name for step in STEPS if step.needs_demography}
    still = names(steps_of(STEPS, MONTHS, demography=False))

    assert left_out == {
        "renew",
        "die",
        "be_born",
        "change_homes",
        "move_out",
        "move_in",
        "grow_older",
        "note_who_lives_alone",
    }
    assert not left_out & set(still)


def test_every_step_says_what_it_does():
    assert all(step.meaning.endswith(".") for step in STEPS)


def test_a_step_stands_before_or_after_the_one_named():
    step = Step(pay_a_dividend)
    before, after = (names(with_step(STEPS, step, **{where: "die"})) for where in ("before", "after"))

    assert before.index("pay_a_dividend") == before.index("die") - 1
    assert after.index("pay_a_dividend") == after.index("die") + 1


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"after": "dye"}, "step pay_a_dividend.after = 'dye': unknown step. Did you mean 'die'"),
        ({}, "step pay_a_dividend: has no place in the month. Allowed: before or after: the name of a step"),
        ({"before": "die", "after": "be_born"}, "stands before die and after be_born. Allowed: one of before and"),
    ],
)
def test_a_place_that_is_not_there_is_refused(place, said):
    with pytest.raises(InputError, match=said):
        with_step(STEPS, Step(pay_a_dividend), **place)


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        (("burnin", MONTHS), "pay_a_dividend.phases = 'burnin': unknown phase. .*Did you mean 'burn-in'"),
        (("month",), "Did you mean 'months'"),
        ((), "is no list of phases"),
        (MONTHS, r"is no list of phases. .*\(\"months\",\) with its comma"),
    ],
)
def test_a_step_that_would_never_be_taken_is_refused(phases, said):
    with pytest.raises(InputError, match=said):
        Step(pay_a_dividend, phases)


def test_a_step_of_ones_own_happens_every_month_and_in_burn_in_only_if_it_says_so(town):
    seen = []

    def look(sim, month):
        seen.append(month)

    config = town.model_copy(update={"population": 300, "burn_in_years": 1})
    model = CommunityModel(config, rng=1, steps=with_step(STEPS, Step(look), before="record"))
    model.step()
    assert seen == [1]

    seen.clear()
    CommunityModel(config, rng=1, steps=with_step(STEPS, Step(look, (BURN_IN, MONTHS)), before="record")).step()
    assert seen == [*range(-11, 1), 1]


class Watched:
    """Terms that remember which of them were read."""

    def __init__(self, terms):
        self._terms, self.read = terms, set()

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self._terms, name)


def test_every_step_reads_the_terms_it_says_and_no_effect_fills_what_nobody_reads(town):
    # All programmes at once for a year and a month, with a heatwave: every kind of effect is in force.
    plan = [{"programme": name, "budget_gbp_per_year": 3e5} for name in bundled_programmes()]
    shocks = [{"kind": "heatwave", "start_month": 2}]
    model = CommunityModel(town.model_copy(update={"plan": plan, "shocks": shocks, "years": 2}), rng=1)
    kinds = {type(effect) for entry in model.simulation.delivery.programmes for effect in entry.programme.effects}
    assert kinds == set(EFFECTS)

    delivery, found = model.simulation.delivery, {step.name: set() for step in STEPS}
    for _ in range(13):
        delivery.terms = Watched(delivery.terms)
        for step in model.step_by_step():
            found[step.name] |= delivery.terms.read & set(terms_filled())
            delivery.terms.read.clear()
        delivery.terms = delivery.terms._terms
    declared = {step.name: set(step.reads) for step in STEPS if MONTHS in step.phases}

    assert {name: found[name] for name in declared} == declared
    assert set().union(*declared.values()) == set(terms_filled())


def test_the_neutral_value_of_every_term_is_where_no_effect_is(town):
    model = CommunityModel(town, rng=1)
    terms = model.simulation.delivery.terms
    named = {field.name for field in fields(terms)}

    for effect in EFFECTS:
        for name, term in effect.fills.items():
            assert name in named, kind_of(effect)
            assert (getattr(terms, name) == term.neutral).all()
    assert replace(terms).own == {}
