"""A plan carried out month by month: places, routes, what is counted, and what it leaves alone."""

from collections import Counter

import numpy as np
import pytest

from model import CommunityModel
from model.core.codes import (
    CHILDREN,
    IN_NEED_LONG,
    IN_NEED_SHORT,
    NO_CARE,
    NOT_ENGAGED,
    ON_PLAN,
    PARTICIPANT,
    STRUGGLING,
    THRIVING,
)
from model.inputs.plans import units_next
from model.simulation.plan_delivery import ACUTE
from model.simulation.steps.people import vacate
from tests.small_programmes import effect, written

CARRIED = {"participants_each": 5, "supply_rate": 6.0, "recruited_share": 0.2, "tiring_rate": 1.0}
PEERS = effect("add_ties", ties=2.0, kept_tapered=0.6, kept_abrupt=0.1)
SPRING = {"self_referral": 1.0, "universal": 0.5, "after_acute": 0.5, "gp": 0.2}
ALL_AT_ONCE = {"mental_health_referral": {"rule": "unlimited"}}
OF_PROGRAMMES = {"programme", "engagement", "programme_months", "programme_worsen", "programme_improve"}


@pytest.fixture(scope="module")
def home(town):
    return CommunityModel(town, rng=7)


@pytest.fixture
def world(home, tmp_path):
    """Branch the town with programmes: (values of the file, terms of the entry), one after another."""

    def of(*entries, **update):
        plan = []
        for k, (values, terms) in enumerate(entries):
            file = written(tmp_path, f"invented_{k}", **values)
            plan.append({"programme": file, "budget_gbp_per_year": 40_000.0, **terms})
        config = home.config.model_copy(update={"plan": plan, **update})
        # Which services are simulated is part of a place's past.
        return CommunityModel(config, rng=7) if "services" in update else home.branch(config)

    return of


def step(model, watch=lambda before: None):
    """Live a month, and look on just before and after people are taken in and let go."""
    before = {}
    for happened in model.step_by_step():
        if happened.name == "take_part":
            watch(before)
        before = {name: values.copy() for name, values in model.population.columns.items()}


def live(model, months):
    for _ in range(months):
        model.step()
    return model


def newcomers(model, before, number=1, months=6):
    """Return who was taken in: they alone have all their months before them."""
    people = model.population
    is_in = (people.engagement == PARTICIPANT) & (people.programme == number)
    return np.flatnonzero(is_in & (people.programme_months == months))


def taking_part(model, number=1, role=PARTICIPANT):
    people = model.population
    rows = np.flatnonzero((people.engagement == role) & (people.programme == number))
    return np.bincount(people.neighbourhood[rows], minlength=5)


def programmes_of(model):
    return model.recorder.tables()["programmes"].to_pandas()


# --- Places -----------------------------------------------------------------------------------


@pytest.mark.parametrize("targeting", ["equal", "deprivation", "tie_poverty"])
@pytest.mark.parametrize("people", [7, 14.5])
def test_places_are_those_of_the_units_in_the_real_place(world, targeting, people):
    sites = live(world(({"people": people}, {"targeting": targeting})), 1).simulation.delivery.sites

    assert sites.units[1].sum() == 40
    assert sites.places[1] == pytest.approx(people * sites.units[1])


def test_places_fill_where_an_offer_is_to_all_and_the_sample_takes_its_part_of_them(world):
    model = live(world(({"months": 5, "drop_out_rate": 1.0}, {})), 12)
    delivery = model.simulation.delivery
    used, places = delivery.capacity.participants[1].sum(), delivery.sites.places[1].sum()

    assert used == pytest.approx(places, rel=0.01)
    # A Poisson number: each of the sample gets a place by a draw of their own.
    expected = places / model.scale
    assert abs(taking_part(model).sum() - expected) < 4 * expected**0.5


def test_supporters_limit_the_places_there_are(world):
    values = {"months": 5, "supporters": {**CARRIED, "supply_rate": 0.2}}
    model, used = world((values, {})), []
    for _ in range(12):
        live(model, 1)
        capacity, places = model.simulation.delivery.capacity, model.simulation.delivery.sites.places[1]
        served = np.minimum(places, 5 * capacity.supporters[1])
        assert (capacity.participants[1].sum(axis=0) <= served + 1e-9).all()
        used.append(served.sum() / places.sum())

    assert 0.0 < used[0] < used[-1] <= 1.0


def test_units_stay_where_they_stand_and_new_ones_go_where_most_are_wanting(world):
    values = {"set_up_cost_gbp": 1_500, "people": 20}
    model = world((values, {"targeting": "tie_poverty"}), years=5)
    before = np.zeros(5, int)
    for _ in range(5):
        live(model, 12)
        units = model.simulation.delivery.sites.units[1].copy()
        assert (units >= before).all()
        entry = model.simulation.delivery.programmes[0]
        budget = entry.terms.budget_gbp_per_year
        assert units.sum() == units_next(int(before.sum()), budget, entry.programme)
        before = units
    assert before.sum() > 16 == units_next(0, budget, entry.programme)


HUBS = {"programme": "community_hub", "budget_gbp_per_year": 910_000.0, "ending": "abrupt", "taper_months": 0}
"""A hub costs 222,000 a year, and 233,000 to set up."""


def paid_and_due(model, months):
    """Live some months; return what was paid and what the units that stood cost by each month's end, and the units."""
    (entry,), paid, due, units, there = model.simulation.delivery.programmes, [], [], [], 0
    for month in range(1, months + 1):
        live(model, 1)
        running = entry.is_running(month)
        paid.append(entry.gbp_in(month) * model.simulation.budgets.kept(entry, month) if running else 0.0)
        units.append(int(model.simulation.delivery.sites.units[1].sum()) if running else 0)
        due.append(233_000.0 * max(units[-1] - there, 0) + 222_000.0 / 12 * units[-1])
        there = units[-1]
    assert sum(paid) == pytest.approx(programmes_of(model)["spend_gbp"].sum())
    return np.cumsum(paid), np.cumsum(due), units


@pytest.mark.parametrize(
    ("last", "units"),
    [(1, [0]), (3, [0] * 3), (6, [1] * 6), (13, [2] * 13), (24, [2] * 12 + [3] * 12), (25, [2] * 12 + [3] * 13)],
)
def test_no_unit_stands_that_a_plan_does_not_pay_for_before_it_ends(home, last, units):
    config = home.config.model_copy(update={"plan": [{**HUBS, "end_month": last}], "years": 3})
    paid, due, stood = paid_and_due(home.branch(config), 36)

    assert stood[:last] == units
    assert paid[-1] == pytest.approx(910_000 * last / 12)
    ends_of_years = [*range(11, last, 12), last - 1]
    assert (due[ends_of_years] <= paid[ends_of_years] + 0.01).all()
    assert due[-1] == due[last - 1]


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.5, 0.9])
def test_a_cut_within_a_year_closes_what_the_money_of_the_year_does_not_pay(home, monkeypatch, kept):
    budgets = type(home.simulation.budgets)
    monkeypatch.setattr(budgets, "kept", lambda self, entry, month: 1.0 if month < 7 else kept)
    config = home.config.model_copy(update={"plan": [HUBS], "years": 3})
    paid, due, units = paid_and_due(home.branch(config), 36)

    # By July two hubs have cost 688,000, set-up and half a year's running, and 455,000 was paid.
    assert units[5] == 2 > units[6]
    for year_end in (11, 23, 35):
        assert due[year_end] <= paid[year_end] + 0.01 or units[year_end] == 0


def test_a_place_for_whom_nobody_is_eligible_costs_the_same(world):
    model = live(world(({"eligibility": {"ages": [118, 120]}}, {})), 12)
    table = programmes_of(model)

    assert table[["enrolled", "completed", "dropped", "supporters"]].to_numpy().sum() == 0
    assert table["spend_gbp"].sum() == pytest.approx(40_000.0)


def test_money_is_spent_in_the_months_of_the_plan_alone_and_where_it_is_to_go(world):
    terms = {
        "targeting": "named",
        "neighbourhoods": ["SB2", "SB4"],
        "start_month": 4,
        "end_month": 9,
        "taper_months": 0,
    }
    model = live(world(({}, terms)), 12)
    table = programmes_of(model).set_index("neighbourhood")

    assert table["spend_gbp"].sum() == pytest.approx(40_000.0 / 2)
    for column in ("spend_gbp", "enrolled"):
        assert (table[column] > 0).to_dict() == {
            "SB1": False,
            "SB2": True,
            "SB3": False,
            "SB4": True,
            "SB5": False,
        }


# --- What was bought, and how far it is used ---------------------------------------------------


def test_places_for_whom_nobody_is_eligible_are_bought_and_stand_empty(world):
    table = programmes_of(live(world(({"eligibility": {"ages": [118, 120]}}, {})), 12))

    assert table["place_months"].sum() > 0
    assert table["used_months"].sum() == 0


@pytest.mark.parametrize("months", [3, 6])
def test_a_place_has_room_for_as_many_as_courses_fit_into_its_months(world, months):
    table = programmes_of(live(world(({"months": months}, {})), 12))

    np.testing.assert_allclose(table["room"], table["place_months"] / months)
    assert (table["used_months"] <= table["place_months"] * (1 + 1e-12)).all()
    assert 0 < table["used_months"].sum() <= table["place_months"].sum()


def test_no_place_is_counted_before_a_plan_begins_or_after_it_ends(world):
    model = live(world(({}, {"start_month": 13, "end_month": 18, "taper_months": 0}), years=3), 36)
    by_year = programmes_of(model).groupby("year")["place_months"].sum()

    assert (by_year > 0).to_dict() == {1: False, 2: True, 3: False}


# --- Nobody is lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{}, {"end_month": 20, "taper_months": 6}, {"end_month": 20, "ending": "abrupt"}])
def test_who_enrols_completes_drops_out_is_left_goes_away_or_takes_part(world, terms):
    values = {"months": 6, "drop_out_rate": 0.8, "supporters": CARRIED, "effects": (PEERS,), "ways": SPRING}
    model = world((values, terms), years=2)
    people, n, enrolled_in = model.population, Counter(), {}

    def watch(before):
        had = np.flatnonzero((before["engagement"] == PARTICIPANT) & (before["programme"] == 1))
        new = newcomers(model, before)
        goes_on = np.zeros(people.n_rows, bool)
        goes_on[(people.engagement == PARTICIPANT) & (people.programme_months < 6)] = True
        left = had[~goes_on[had]]
        completes = left[before["programme_months"][left] == 1]
        for row in completes:
            assert model.month - enrolled_in[people.resident[row]] == 6
        has_ended = model.month > model.simulation.delivery.plan[0].last_month
        n["enrolled"] += new.size
        n["completed"] += completes.size
        n["ended" if has_ended else "dropped"] += left.size - completes.size
        enrolled_in.update(dict.fromkeys(people.resident[new].tolist(), model.month))

    for _ in range(24):
        before = {name: values.copy() for name, values in people.columns.items()}
        for happened in model.step_by_step():
            if happened.name == "take_part":
                watch(before)
            else:  # nobody comes in by another way, and who goes has died or moved away
                had = np.flatnonzero(before["engagement"] == PARTICIPANT)
                is_gone = people.resident[had] != before["resident"][had]
                n["gone"] += np.count_nonzero(is_gone)
                assert (people.engagement[had] == PARTICIPANT)[~is_gone].all()
                assert (people.engagement > 0).sum() <= (before["engagement"] > 0).sum()
            before = {name: values.copy() for name, values in people.columns.items()}

    table = programmes_of(model)
    for column in ("enrolled", "completed", "dropped"):
        assert table[column].sum() == n[column] > 0
    parts = ("completed", "dropped", "ended", "gone")
    assert n["enrolled"] == sum(n[part] for part in parts) + taking_part(model).sum()
    assert (n["ended"] > 0) == (terms.get("ending") == "abrupt")


def test_money_for_a_service_earlier_in_a_plan_shifts_nobodys_draws(world):
    waits = {"mental_health_referral": {"rule": "queue", "relative": 10.0}}
    more = {"programme": None, "service": "mental_health_referral"}
    with_service, without = (
        world(
            ({}, more if is_bought else {"budget_gbp_per_year": 0.0}),
            ({"ways": SPRING}, {}),
            capacity=waits,
        )
        for is_bought in (True, False)
    )
    for _ in range(3):
        step(with_service)
        step(without)

        for one in (with_service, without):
            assert (one.population.programme == 2).any()
        for name in ("programme", "engagement"):
            ours, theirs = (one.population.columns[name] for one in (with_service, without))
            assert np.array_equal(ours, theirs)


def test_nobody_takes_part_in_two_programmes(world):
    model = world(({}, {}), ({"months": 9}, {}))
    for _ in range(6):

        def watch(before):
            people = model.population
            goes_on = (before["engagement"] != NOT_ENGAGED) & (people.engagement != NOT_ENGAGED)
            is_new = np.zeros(people.n_rows, bool)
            for k, months in ((1, 6), (2, 9)):
                is_new[newcomers(model, before, k, months)] = True
            same = before["programme"] == people.programme
            assert same[goes_on & ~is_new].all()

        step(model, watch)
    rows = model.population.engagement > 0
    by_entry = taking_part(model, 1).sum(), taking_part(model, 2).sum()
    assert rows.sum() == sum(by_entry)
    assert min(by_entry) > 0


def test_the_money_for_newcomers_pays_for_as_many_as_come_while_places_are_full(world):
    # Places are refilled at once. A new cohort fills them in the first month: the years after
    # it has gone through are the steady ones.
    values = {"months": 6, "drop_out_rate": 1.2, "participant_cost_gbp": 10}
    model = live(world((values, {"budget_gbp_per_year": 200_000.0}), years=4), 48)
    table = programmes_of(model)
    enrolled = table[table["year"] > 1]["enrolled"].sum() / 3

    entry = model.simulation.delivery.programmes[0]
    n_units = units_next(0, 200_000.0, entry.programme)  # nothing is set up, so as many as at once
    paid_for = (200_000.0 / n_units - 1_000) / 10 * n_units / model.scale
    # Deaths, moves and whole units apart; what money is left buys less than one unit. The SE of
    # a count of some 780 a year over three is 2 per cent.
    assert enrolled == pytest.approx(paid_for, rel=0.08)


# --- Routes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "services"), [("after_acute", ACUTE), ("gp", ("gp",))])
@pytest.mark.parametrize("simulated", [("gp", *ACUTE), ()])
def test_a_referral_follows_a_contact_of_last_month(world, way, services, simulated):
    model = world(({"ways": {way: 0.5}, "months": 24, "people": 2_000}, {}), services=simulated, capacity=ALL_AT_ONCE)
    n_came = n_new = 0
    for _ in range(6):
        came = {}
        for name in services:
            if name in model.simulation.now.contact_rows:
                rows, ids = model.simulation.now.contact_rows[name]
                came |= dict.fromkeys(zip(rows.tolist(), ids.tolist(), strict=True), 1)

        def watch(before, came=came):
            nonlocal n_came, n_new
            people, new = model.population, newcomers(model, before, months=24)
            assert {(row, people.resident[row]) for row in new.tolist()} <= came.keys()
            free = [
                row
                for row, who in came
                if people.resident[row] == who
                and before["engagement"][row] == NOT_ENGAGED
                and people.state[row] >= THRIVING
            ]
            n_came, n_new = n_came + len(free), n_new + new.size

        step(model, watch)
    assert n_new > 10
    if way == "gp":  # one service: the share is that of each
        assert abs(n_new / n_came - 0.5) < 4 * (0.25 / n_came) ** 0.5
    else:  # up to three, each with its share
        assert 0.5 - 4 * (0.25 / n_came) ** 0.5 < n_new / n_came < 1 - 0.5**3


def test_self_referral_is_of_those_who_struggle(world):
    model = world(({"ways": {"self_referral": 3.0}, "people": 2_000}, {}))

    def watch(before):
        new = newcomers(model, before)
        assert new.size > 5
        assert (before["state"][new] >= STRUGGLING).all()

    step(model, watch)


def test_an_offer_to_all_reaches_everybody_who_is_eligible(world):
    model = world(({"people": 2_000, "eligibility": {"ages": [30, 50]}}, {}))

    def watch(before):
        age = (model.month - before["birth_month"]) // 12
        due = (before["state"] >= THRIVING) & (age >= 30) & (age <= 50)
        assert np.array_equal(newcomers(model, before), np.flatnonzero(due))

    step(model, watch)


def test_parents_of_children_in_care_live_with_one(world):
    eligibility = {"parents": True, "child_care": "in need"}
    model = world(({"people": 2_000, "eligibility": eligibility}, {}))

    def watch(before):
        in_care = (before["age_band"] == CHILDREN) & (before["child_care"] > NO_CARE)
        new = newcomers(model, before)
        assert new.size > 0
        assert np.isin(before["householder"][new], before["householder"][in_care]).all()

    step(model, watch)


# --- Ties -------------------------------------------------------------------------------------


def peers_of(model):
    ends, others = model.network.edges("peer")
    return ends, others


@pytest.mark.parametrize("ending", ["tapered", "abrupt"])
def test_peers_share_a_programme_and_none_are_left_after_the_end(world, ending):
    values = {"effects": (PEERS,), "supporters": CARRIED, "drop_out_rate": 0.5}
    terms = {"end_month": 10, "taper_months": 3, "ending": ending}
    model = world((values, terms), (values, terms))
    for month in range(1, 13):
        step(model)
        people, (ends, others) = model.population, peers_of(model)
        assert (ends.size > 0) == (month <= 10)
        assert (people.programme[ends] == people.programme[others]).all()
        assert (people.engagement[ends] != NOT_ENGAGED).all()
        assert (people.engagement[others] != NOT_ENGAGED).all()
        assert ((people.engagement != NOT_ENGAGED).any()) == (month <= 10)


@pytest.mark.parametrize(("ending", "share"), [("tapered", 0.6), ("abrupt", 0.1)])
def test_an_end_leaves_its_share_of_ties_and_only_an_abrupt_one_hurts(world, ending, share):
    values = {"effects": (PEERS,), "months": 60, "people": 300}
    terms = {"end_month": 3, "taper_months": 1, "ending": ending}
    model = world((values, terms), parameters={})
    for _ in range(3):
        step(model)
    ends, others = peers_of(model)
    seen = {}

    def watch(before):
        people, network = model.population, model.network
        is_local = [other in network.neighbours("local", end) for end, other in zip(ends, others, strict=True)]
        seen["kept"] = np.mean(is_local)
        stress = people.stress - before["stress"]
        had = before["engagement"] == PARTICIPANT
        due = model.parameters.stress_abrupt_ending if ending == "abrupt" else 0.0
        assert stress[had] == pytest.approx(due, abs=1e-5)
        assert (stress[~had] == 0.0).all()

    is_old = np.array(
        [other in model.network.neighbours("local", end) for end, other in zip(ends, others, strict=True)]
    )
    ends, others = ends[~is_old], others[~is_old]
    step(model, watch)
    assert model.parameters.stress_abrupt_ending > 0.0
    # 4 standard errors; a little fewer are kept where somebody's slots are full.
    error = 4 * (share * (1 - share) / ends.size) ** 0.5
    assert share - error - 0.03 < seen["kept"] < share + error


def test_who_is_gone_elsewhere_re_pairs_nobody(home, world):
    terms = {"targeting": "named", "neighbourhoods": ["SB1", "SB2"], "budget_gbp_per_year": 4_000.0}
    values = {"effects": (PEERS,), "ways": SPRING, "supporters": CARRIED}
    one, other = world((values, terms)), world((values, terms))
    # Somebody of the last neighbourhood who lives alone and is tied to nobody of the first two.
    people, network = other.population, other.network
    alone = np.flatnonzero((people.neighbourhood == 4) & (people.lives_alone == 1))
    near = [
        int(max((people.neighbourhood[network.neighbours(layer, row)] <= 1).any() for layer in ("kin", "local")))
        for row in alone
    ]
    vacate(other.simulation.world, alone[[near.index(0)]], 0)
    for model in (one, other):
        # What neighbours feel is not in question: one month, in which nobody's state has moved.
        step(model)

    for column in ("programme", "engagement", "programme_months"):
        assert np.array_equal(one.population.columns[column], other.population.columns[column])
    assert np.array_equal(np.array(peers_of(one)), np.array(peers_of(other)))
    assert peers_of(one)[0].size > 0


# --- What it leaves alone ---------------------------------------------------------------------

NOTHING = {"ways": SPRING, "supporters": CARRIED, "drop_out_rate": 0.5}


def frames(model):
    tables = {name: table.to_pandas() for name, table in model.recorder.tables().items()}
    tables["monthly"] = tables["monthly"].drop(columns=["participants", "supporters"])
    del tables["programmes"], tables["budgets"]
    ledger = tables["ledger"]
    tables["ledger"] = ledger[ledger["kind"] != "programme"].reset_index(drop=True)
    return tables


def is_same_world(one, other):
    columns = one.population.columns.keys() - OF_PROGRAMMES
    slots = one.network.slots
    return (
        all(frame.equals(frames(other)[name]) for name, frame in frames(one).items())
        and all(np.array_equal(one.population.columns[name], other.population.columns[name]) for name in columns)
        and all(np.array_equal(slots[name], other.network.slots[name]) for name in slots)
    )


@pytest.fixture(scope="module")
def without(home):
    return live(home.branch(), 12)


def test_a_programme_without_effect_ties_or_case_finding_changes_no_bit(world, without):
    terms = {"end_month": 9, "taper_months": 2}
    same = (
        effect("hazard_ratio", worsen=1.0, improve=1.0),
        effect("case_finding", ratio=1.0),
        effect("service_ratio", service="gp", ratio=1.0),
    )
    model = live(world((NOTHING, terms), ({**NOTHING, "effects": same}, {})), 12)

    assert programmes_of(model)["enrolled"].sum() > 100
    assert is_same_world(model, without)


EFFECTS = {
    "peer ties": PEERS,
    "activities": effect("add_ties", through="activity", ties=2.0),
    "worsening": effect("hazard_ratio", worsen=0.5, improve=1.0),
    "improving": effect("hazard_ratio", worsen=1.0, improve=2.0),
    "case-finding": effect("case_finding", ratio=4.0),
    "demand": effect("service_ratio", service="a_and_e", ratio=0.2),
}


@pytest.mark.parametrize("ways", [SPRING, {"after_acute": 0.5}, {"gp": 0.5}])
@pytest.mark.parametrize("name", EFFECTS)
def test_any_effect_changes_something(world, without, ways, name):
    model = live(world(({"ways": ways, "effects": (EFFECTS[name],)}, {})), 12)

    assert not is_same_world(model, without)


def test_places_to_meet_change_the_index_once_they_are_through_the_pipeline(world):
    values = {"ways": {"gp": 0.0}, "effects": (effect("build_infrastructure", share_of_spend=1.0),)}
    model = world((values, {"budget_gbp_per_year": 4e6}), years=3)
    delay = round(model.parameters.infrastructure_delay_months)
    live(model, 36)
    index = model.recorder.tables()["monthly"].to_pandas().groupby("month")["infrastructure_index"]

    assert (index.max()[:delay] == 1.0).all()
    assert (index.min()[delay:] > 1.0).all()


@pytest.mark.parametrize("service", ["gp", "a_and_e", "emergency_admission", "police_welfare"])
def test_who_never_takes_part_turns_to_services_as_ever(world, service):
    terms = {"targeting": "named", "neighbourhoods": ["SB1"]}
    spared = (effect("service_ratio", service=service, ratio=0.05),)
    models = [world(({"people": 1_000, "effects": effects}, terms)) for effects in ((), spared)]
    for model in models:
        model.simulation.delivery.traced_services = (*model.simulation.delivery.traced_services, service)
        live(model, 1)
    plain, fewer = (set(model.simulation.now.contact_rows[service][0].tolist()) for model in models)
    is_in = models[0].population.engagement == PARTICIPANT

    assert fewer <= plain
    assert is_in[list(plain - fewer)].all()


def test_children_come_down_from_a_plan_as_ever_where_fewer_come_into_need(world):
    values = {
        "people": 4_000,
        "eligibility": {"parents": True},
        "effects": (effect("service_ratio", service="child_in_need", ratio=0.05),),
    }
    plain, fewer = (world(({**values, "effects": effects}, {})) for effects in ((), values["effects"]))
    for model in (plain, fewer):  # children of every home, all on a plan
        people = model.population
        children = np.flatnonzero((people.age_band == CHILDREN) & people.is_present)
        people.write("child_care", children, np.where(children % 2 == 0, ON_PLAN, NO_CARE))
        live(model, 1)
        came_down = (people.child_care[children] == IN_NEED_LONG) & (children % 2 == 0)
        assert np.count_nonzero(came_down) > 3
    # Where they stand at home is the same in the first month but for who has moved state: nothing
    # in either programme touches that.
    before, after = (model.population.child_care for model in (plain, fewer))
    on_plan = np.isin(np.arange(before.size), children[children % 2 == 0])
    assert np.array_equal(before[on_plan], after[on_plan])
    in_need = (IN_NEED_SHORT, IN_NEED_LONG)
    with_all, with_fewer = (np.isin(care[~on_plan], in_need).sum() for care in (before, after))
    assert with_all >= with_fewer


def test_care_that_lasts_begins_though_requests_are_not_simulated(home):
    update = {"services": ["long_term_care"], "capacity": ALL_AT_ONCE}
    model = live(CommunityModel(home.config.model_copy(update=update), rng=7), 6)

    assert (model.population.long_term_care > 0).any()


def test_in_their_first_month_hazards_touch_participants_alone(home, world):
    # Nobody is born, dies or moves, and no queue passes one's need on to another: in the month
    # in which it begins, a programme that acts on hazards reaches nobody else's columns.
    calm = {"structure": {"demography": False}}
    update = {**calm, "capacity": ALL_AT_ONCE, "services": ["gp"]}
    config = home.config.model_copy(update=update)
    start = CommunityModel(config, rng=7)
    plan = world(({"effects": (effect("hazard_ratio", worsen=0.05, improve=20.0),)}, {}))
    config = config.model_copy(update={"plan": [one.model_dump() for one in plan.config.plan]})
    one, other = live(start.branch(config), 1), live(start.branch(), 1)

    changed = np.zeros(one.population.n_rows, bool)
    for name, values in one.population.columns.items():
        changed |= values != other.population.columns[name]
    is_in = one.population.engagement == PARTICIPANT
    assert np.array_equal(changed, is_in)
    moved = one.population.state != other.population.state
    assert 0 < moved.sum() < is_in.sum()
    # One uniform a month, the lower half of which worsens: nobody can be worse for it.
    assert (one.population.state <= other.population.state).all()


def test_same_seed_same_bits_and_a_branch_goes_on_as_the_straight_run(town, world):
    entry = {
        "ways": SPRING,
        "supporters": CARRIED,
        "drop_out_rate": 0.5,
        "effects": (PEERS, effect("hazard_ratio", worsen=0.8, improve=1.2)),
    }
    branch = world((entry, {}))
    straight = CommunityModel(branch.config, rng=7)
    again = straight.branch()
    digests = {live(model, 12).digest() for model in (branch, straight, again)}
    other = live(CommunityModel(branch.config, rng=8), 12)

    assert len(digests) == 1
    assert other.digest() not in digests


def test_years_of_a_table_are_kept_as_they_were_written(world):
    model = live(world(({"supporters": CARRIED, "ways": SPRING}, {}), years=2), 12)
    first = programmes_of(model)
    live(model, 12)

    assert first.equals(programmes_of(model).iloc[: len(first)])
    assert (
        first["supporters"].sum()
        == model.recorder.tables()["monthly"].to_pandas().query("month == 12")["supporters"].sum()
    )
