"""Social infrastructure: stock, delay, saturation, fit, trust and taking part, in closed form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.core.errors import EvidenceError
from model.inputs.parameters import load_parameters
from model.rules.infrastructure import (
    advance_month,
    at_start,
    index_of,
    require_start,
    usable_of,
    usual_cost_gbp,
    usual_service,
)

P = load_parameters()
DELAY = round(P.infrastructure_delay_months)
WEAR = -math.expm1(-P.infrastructure_depreciation / 12.0)
"""Share of the gap to what is kept up that closes in a month."""

N = 3
NONE, ONE = np.zeros(N), np.ones(N)

# Sums of up to 480 terms in double precision, each right to a few parts in 10^16.
CLOSE = 1e-12


def lived(months, parameters=P, uniform=NONE, led=NONE, usual_share=ONE, opportunity=NONE):
    """Return the states of a place from the start on."""
    states = [at_start(parameters, N)]
    for _ in range(months):
        states.append(advance_month(states[-1], uniform, led, usual_share, opportunity, parameters))
    return states


def indices(states, parameters=P):
    return np.array([index_of(state.service_gbp, parameters) for state in states])


# --- Nothing done, nothing changed -----------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"infrastructure_index": 0.7, "infrastructure_index_most": 1.9},
        {"infrastructure_index": 0.0},
        {"infrastructure_stock_gbp": 7.3, "infrastructure_depreciation": 0.33},
        {"trust_usual": 0.31, "participation_usual": 0.17, "infrastructure_delay_months": 0.1},
    ],
)
def test_without_a_plan_forty_years_change_no_bit(values):
    parameters = P.with_values(values)
    first, *_, last = lived(480, parameters)

    for was, now in zip(first, last, strict=True):
        assert now.dtype == np.float64
        assert np.array_equal(was, now)


@given(st.floats(1.0001, 20.0), st.floats(0.5, 1e6))
def test_the_usual_stock_has_an_index_of_exactly_one(most, stock):
    parameters = P.with_values({"infrastructure_index_most": most, "infrastructure_stock_gbp": stock})

    assert index_of(at_start(parameters, N).service_gbp, parameters).tolist() == [1.0] * N


@pytest.mark.parametrize("index", [0.0, 0.5, 1.3])
def test_a_place_starts_with_the_index_it_is_given(index):
    parameters = P.with_values({"infrastructure_index": index})

    assert index_of(usual_service(parameters), parameters) == pytest.approx(index, rel=CLOSE)


# --- Stock -----------------------------------------------------------------------------------


RUNNING, YIELD = P.infrastructure_running_share, P.infrastructure_capital_yield


def test_constant_spending_runs_things_at_once_and_builds_capital_that_wears():
    monthly = np.array([0.5, 1.0, 2.0])
    states, rate = lived(480, uniform=monthly), P.infrastructure_depreciation
    yearly = 12.0 * P.fit_uniform * monthly

    for month in (0, DELAY, DELAY + 1, DELAY + 60, 480):
        years = max(month - DELAY, 0) / 12.0
        capital = YIELD * (1.0 - RUNNING) * yearly * -math.expm1(-rate * years) / rate
        running = RUNNING * yearly * (month > DELAY)
        assert states[month].service_gbp == pytest.approx(usual_service(P) + capital + running, rel=1e-9)


@given(st.floats(0.0, 0.34), st.floats(0.0, 0.34), st.integers(1, 600), st.floats(0.0, 5.0))
def test_faster_wear_never_pays(slow, fast, months, pounds):
    slow, fast = sorted((slow, fast))
    found = []
    for rate in (slow, fast):
        parameters = P.with_values({"infrastructure_depreciation": rate})
        with_plan = lived(months, parameters, uniform=pounds * ONE)[-1]
        found.append((with_plan.service_gbp[0], usual_cost_gbp(parameters)))
    (more, cheaper), (less, dearer) = found

    assert less <= more + 1e-9
    assert cheaper <= dearer


def test_usual_spending_keeps_what_there_is_whatever_its_wear():
    for rate in (0.0, 0.03, 0.35):
        state = lived(480, P.with_values({"infrastructure_depreciation": rate}))[-1]
        assert (state.service_gbp == usual_service(P)).all()
    # At the central values wear takes what capital yields, so that a pound keeps a pound.
    assert usual_cost_gbp(P) == pytest.approx(usual_service(P))


def test_without_money_what_runs_ends_at_once_and_capital_halves_in_its_half_life():
    parameters = P.with_values({"infrastructure_depreciation": math.log(2.0) / 5.0})
    states = lived(120, parameters, usual_share=NONE)

    for years, left in ((5, 0.5), (10, 0.25)):
        assert states[12 * years].service_gbp == pytest.approx(left * (1.0 - RUNNING) * usual_service(P), rel=CLOSE)


def test_a_cut_tends_to_what_is_still_paid_for_and_is_made_good():
    parameters = P.with_values({"infrastructure_depreciation": 0.35})
    state = lived(1_200, parameters, usual_share=0.5 * ONE)[-1]
    assert state.service_gbp == pytest.approx(0.5 * usual_service(P), rel=1e-9)

    for _ in range(1_200):
        state = advance_month(state, NONE, NONE, ONE, NONE, parameters)
    assert state.service_gbp == pytest.approx(usual_service(P), rel=1e-9)


def test_capital_that_does_not_wear_stays_and_adds_up():
    parameters = P.with_values({"infrastructure_depreciation": 0.0})
    states = lived(60, parameters, uniform=ONE)
    built = YIELD * (1.0 - RUNNING) * P.fit_uniform * (60 - DELAY)

    assert states[-1].stock_gbp == pytest.approx(states[0].stock_gbp + built)


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=60),
    st.sampled_from([0.1, 1.0, 7.0, 36.0]),
)
def test_no_pound_is_lost_on_its_way(spending, delay):
    parameters = P.with_values({"infrastructure_delay_months": delay})
    state, usual = at_start(parameters, 1), usual_service(parameters)
    spent = unfit = ran = worn = 0.0
    for uniform, led in spending:
        money = np.array([uniform]), np.array([led])
        usable = usable_of(state, *money, parameters)[0]
        spent += uniform + led
        unfit += (1.0 - parameters.fit_uniform) * uniform + (1.0 - state.fit_led[0]) * led
        assert 0.0 <= usable <= uniform + led
        before = state
        state = advance_month(state, *money, np.ones(1), np.zeros(1), parameters)
        extra = (state.running_gbp[0] - RUNNING * usual) / 12.0
        ran, arrived = ran + extra, extra / RUNNING
        worn += (1.0 - RUNNING) * arrived - (state.stock_gbp[0] - before.stock_gbp[0]) / YIELD
    # Capital is worth what a pound of it was: its yield is the yearly service of one.
    held = (state.stock_gbp[0] - (1.0 - RUNNING) * usual) / YIELD

    assert spent == pytest.approx(unfit + state.pipeline_gbp.sum() + ran + held + worn, abs=1e-7)
    assert worn >= -1e-9


def test_money_of_one_neighbourhood_stays_there():
    last = lived(60, uniform=np.array([0.0, 5.0, 0.0]), led=np.array([0.0, 5.0, 0.0]))[-1]
    first = at_start(P, N)

    for was, now in zip(first, last, strict=True):
        assert np.array_equal(was[..., [0, 2]], now[..., [0, 2]])
    assert last.stock_gbp[1] > first.stock_gbp[1]


def test_money_that_fits_nothing_builds_nothing():
    nothing = P.with_values({"fit_uniform": 0.0, "fit_led_start": 0.0, "fit_learning_rate": 0.0})
    for plan in ({"uniform": 9.0 * ONE}, {"led": 9.0 * ONE}):
        assert (indices(lived(120, nothing, **plan), nothing) == 1.0).all()
        assert (indices(lived(120, **plan))[-1] > 1.0).all()


# --- Index -----------------------------------------------------------------------------------


@given(st.floats(0.0, 1e6), st.floats(0.001, 1e6), st.floats(1.2, 5.0))
def test_the_index_rises_ever_less_and_stays_below_its_most(stock, more, most):
    parameters = P.with_values({"infrastructure_index_most": most})
    low, middle, high = (index_of(stock + k * more, parameters) for k in range(3))

    # Where it is flat to the last bits, differences carry their rounding.
    assert 0.0 <= low <= middle <= high <= most
    assert high - middle <= middle - low + 1e-14 * most


def test_the_same_money_twice_raises_the_index_by_less_than_twice():
    once, twice = (indices(lived(240, uniform=k * ONE))[-1] - 1.0 for k in (2.0, 4.0))

    assert (once < twice).all()
    assert (twice < 2.0 * once).all()


def test_half_of_the_most_is_reached_where_the_textbook_says():
    p = P.with_values({"infrastructure_index_most": 2.5})
    k_half = p.infrastructure_stock_gbp * (p.infrastructure_index_most - 1.0)
    stock = np.array([3.0, 11.0, 80.0])

    assert index_of(stock, p) == pytest.approx(2.5 * stock / (stock + k_half), rel=CLOSE)
    assert index_of(k_half, p) == pytest.approx(1.25, rel=CLOSE)


# --- Fit -------------------------------------------------------------------------------------


def learned(months, p=P):
    """Return the fit of community-led work after so many months of it, taking part as usual."""
    return p.fit_led_most - (p.fit_led_most - p.fit_led_start) * math.exp(-p.fit_learning_rate * months / 12.0)


STILL = P.with_values({"participation_per_index": 0.0})
"""Taking part does not follow from the index, so that learning has its closed form."""


def test_community_led_work_learns_in_closed_form():
    states = lived(240, STILL, led=ONE)

    for month in (0, 1, 60, 240):
        assert states[month].fit_led == pytest.approx(learned(month), rel=CLOSE)


def test_learning_pauses_where_no_money_flows():
    led = np.array([1.0, 0.0, 1e-6])
    last = lived(24, STILL, led=led, uniform=ONE)[-1]

    assert last.fit_led == pytest.approx([learned(24), P.fit_led_start, learned(24)], rel=CLOSE)


def test_a_uniform_roll_out_never_learns():
    for state in lived(60, uniform=ONE)[::20]:
        assert (usable_of(state, ONE, NONE, P) == P.fit_uniform).all()


def test_where_more_take_part_more_is_learned():
    more = lived(24, STILL, led=ONE, opportunity=np.array([0.0, 0.05, 0.1]))[-1].fit_led
    deaf = STILL.with_values({"fit_learning_rate": 0.0})
    same = lived(24, deaf, led=ONE, opportunity=np.array([0.0, 0.05, 0.1]))[-1].fit_led

    assert (np.diff(more) > 0.0).all()
    assert (same == P.fit_led_start).all()


def approaches(**values):
    """Return by how much community-led is ahead of uniform at the same money, each month."""
    p = P.with_values(values)
    led, uniform = (indices(lived(240, p, **{way: ONE}), p)[:, 0] for way in ("led", "uniform"))
    return led - uniform


def test_which_approach_ends_higher_is_found_and_not_built_in():
    ahead = approaches()
    assert ahead[DELAY + 6] < 0.0 < ahead[-1]

    # Within the stated ranges it also comes out otherwise, from the first month or to the last.
    assert (approaches(fit_led_start=0.5, fit_uniform=0.4)[DELAY + 1 :] > 0.0).all()
    assert (approaches(fit_uniform=0.75)[DELAY + 1 :] < 0.0).all()
    assert (approaches(fit_learning_rate=0.0)[DELAY + 1 :] < 0.0).all()
    for name, value in (
        ("fit_led_start", 0.5),
        ("fit_uniform", 0.4),
        ("fit_uniform", 0.75),
        ("fit_learning_rate", 0.0),
    ):
        assert P.entry(name).low <= value <= P.entry(name).high


# --- Trust and taking part -------------------------------------------------------------------


def test_trust_and_participation_come_to_rest_where_the_closed_form_says():
    opportunity = np.array([0.0, 0.02, 0.1])
    last = lived(12 * 120, P, uniform=ONE, opportunity=opportunity)[-1]
    more_index = index_of(last.service_gbp, P) - 1.0
    gain = P.trust_per_participation * P.participation_per_trust
    more = (P.participation_per_index * more_index + opportunity) / (1.0 - gain)

    # The slowest of the three, depreciation, has left exp(-12) of its gap.
    assert last.participation == pytest.approx(P.participation_usual + more, abs=1e-5)
    expected = P.trust_usual + P.trust_per_participation * more
    assert last.trust == pytest.approx(expected, abs=1e-5)
    assert more_index.min() > 0.1


def test_they_go_back_to_the_usual_when_a_programme_ends():
    state = lived(60, opportunity=0.1 * ONE)[-1]
    assert (state.trust > P.trust_usual + 0.005).all()

    for _ in range(12 * 80):
        state = advance_month(state, NONE, NONE, ONE, NONE, P)
    # Slower of the two modes: at least (1 - root of the gain) of the slower rate, over 80 years.
    assert state.trust == pytest.approx(P.trust_usual * ONE, abs=1e-6)
    assert state.participation == pytest.approx(P.participation_usual * ONE, abs=1e-6)


def test_each_raises_the_other_only_through_its_gain():
    plan = {"opportunity": 0.05 * ONE}
    deaf = P.with_values({"trust_per_participation": 0.0})
    assert (lived(60, deaf, **plan)[-1].trust == P.trust_usual).all()
    assert (lived(60, **plan)[-1].trust > P.trust_usual).all()

    mute = P.with_values({"participation_per_trust": 0.0})
    alone = lived(60, mute, **plan)[-1].participation
    relaxed = P.participation_usual + 0.05 * -math.expm1(-P.participation_rate * 5.0)
    assert alone == pytest.approx(relaxed, rel=CLOSE)
    assert (lived(60, **plan)[-1].participation > alone).all()


def test_the_index_brings_residents_to_take_part_only_through_its_gain():
    cut = {"usual_share": NONE}
    assert (lived(120, **cut)[-1].participation < P.participation_usual).all()
    assert (lived(120, STILL, **cut)[-1].participation == P.participation_usual).all()


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.94), st.floats(0.0, 0.94))
def test_shares_stay_shares(opportunity, trust_gain, part_gain):
    parameters = P.with_values({"trust_per_participation": trust_gain, "participation_per_trust": part_gain})
    states = lived(120, parameters, uniform=9.0 * ONE, opportunity=opportunity * ONE)
    for state in states[::40]:
        for share in (state.trust, state.participation, state.fit_led):
            assert ((share >= 0.0) & (share <= 1.0)).all()


def test_not_more_than_everybody_trusts_or_takes_part():
    parameters = P.with_values({"trust_per_participation": 0.94, "participation_per_trust": 0.94})
    last = lived(480, parameters, opportunity=ONE)[-1]

    assert last.trust.tolist() == last.participation.tolist() == [1.0] * N


# --- Parameters that cannot be used ----------------------------------------------------------


def test_a_spiral_without_end_is_refused():
    parameters = P.with_values({"trust_per_participation": 1.0, "participation_per_trust": 1.0})
    with pytest.raises(EvidenceError, match=r"trust_per_participation = 1\.0: with .* without limit"):
        require_start(parameters)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"infrastructure_stock_gbp": 0.0}, "infrastructure_stock_gbp = 0.0: an index needs"),
        ({"infrastructure_index_most": 1.0}, r"most = 1\.0: .* Allowed: above 1"),
        ({"infrastructure_index": 2.5}, r"most = 2\.0: .* Allowed: above 2\.5"),
    ],
)
def test_a_start_that_cannot_be_is_refused(values, told):
    with pytest.raises(EvidenceError, match=told):
        require_start(P.with_values(values))


def test_no_draw_from_the_ranges_is_refused():
    for end in ("low", "high"):
        names = [name for name in P if name.startswith(("trust_", "participation_", "fit_"))]
        names += [
            "infrastructure_stock_gbp",
            "infrastructure_index_most",
            "infrastructure_depreciation",
            "infrastructure_delay_months",
        ]
        require_start(P.with_values({name: getattr(P.entry(name), end) for name in names}))
