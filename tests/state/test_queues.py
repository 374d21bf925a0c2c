"""Lines for services: nobody is lost, the longest waiting go first, and waiting has its price."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel, load_scenario
from model.core.codes import COPING, VACANT
from model.core.draws import Draws
from model.core.errors import ScenarioError
from model.core.rates import share_of_move
from model.inputs.catalogue import (
    ADMISSION,
    ATTENDANCE,
    PATHWAY,
    catalogue_place,
    contact_services,
    load_services,
)
from model.inputs.england import CELLS, Demand
from model.rules.help_seeking import answers
from model.rules.services import monthly_services, treatments
from model.simulation.steps.record import prevention_now
from model.state.population import Population
from model.state.queues import ENTRY, NO_CONTACTS, WAITS, Contacts, Flow, fill_arising, pass_month, queue_of
from model.state.recorder import Recorder
from tests.conftest import NO_LINES

SERVICES = tuple(contact_services())
GP, REFERRAL = "gp", "mental_health_referral"
SEEDS = range(8)
PLACE = catalogue_place(REFERRAL)

every_rule = pytest.mark.parametrize("rule", ["queue", "queue_and_spill"])


def crowd(n):
    people = Population([n])
    people.resident[:] = np.arange(1, n + 1)
    people.quintile[:], people.age_band[:], people.state[:] = 3, 3, COPING
    people.householder[:] = np.arange(n)
    return people


def coming(people, rows, month):
    """One contact of each row."""
    rows = np.asarray(rows, np.int64)
    entries = np.empty(rows.size, ENTRY)
    fill_arising(rows, np.ones_like(rows), np.zeros_like(rows), people.resident, month, 0, entries)
    return Contacts(entries)


def lived(people, queue, arrivals, seed=1):
    """Pass month after month; yields what became of everybody in each."""
    for month, rows in enumerate(arrivals, start=1):
        found = pass_month(queue, coming(people, rows, month), queue.room(), people, PLACE, Draws(seed), month)
        queue = queue._replace(line=found.line, offered=queue.offered + queue.per_month)
        yield found


def in_turn(counts):
    """Rows of new residents each month, so many."""
    bounds = np.cumsum([0, *counts])
    return [np.arange(first, last) for first, last in pairwise(bounds)]


def queue(per_month, give_up=0.0, spill=0.0):
    """A service of which the sample is the whole place; chances, not rates."""
    return queue_of(per_month, 1, 1, 0.0, 0.0)._replace(gives_up=give_up, spills=spill)


def nobody_comes(admitted=0.0):
    """Demand of those alone who wait already."""
    return Demand(np.zeros((len(load_services()), *CELLS)), 0.5, np.full((2, *CELLS), admitted))


def limited(rule="queue", relative=0.5, services=SERVICES):
    return {name: {"rule": rule, "relative": relative} for name in services}


def names_of(contacts: Contacts):
    """Who, when and which contact, for good."""
    return list(zip(contacts.resident.tolist(), contacts.month.tolist(), contacts.course.tolist(), strict=True))


# --- One line ------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
    st.integers(0, 30),
    st.floats(0.0, 0.6),
    st.floats(0.0, 0.4),
)
def test_everybody_is_served_waits_spills_or_gives_up(counts, per_month, give_up, spill):
    before, people = 0, crowd(sum(counts))
    for found, n in zip(lived(people, queue(per_month, give_up, spill), in_turn(counts)), counts, strict=True):
        parts = found.served, found.given_up, found.spilled, found.line
        assert before + n == sum(part.size for part in parts)
        assert found.served.size <= per_month
        assert found.served.size == per_month or found.line.size == 0
        before = found.line.size


def test_the_longest_waiting_are_served_first():
    counts = [50, 30, 40, 20, 60]
    for found in lived(crowd(200), queue(25, 0.1), in_turn(counts)):
        assert (np.diff(found.line.joined) >= 0).all()
        if found.line.size:
            assert found.served.joined.max() <= found.line.joined.min()


def test_nobody_is_served_twice_for_one_contact():
    counts = [30] * 40
    served = [
        name for found in lived(crowd(1_200), queue(25, 0.05), in_turn(counts)) for name in names_of(found.served)
    ]

    assert len(served) == len(set(served)) == 40 * 25


def test_those_of_one_month_are_served_in_no_order_of_rows():
    # Rows run by neighbourhood; of 2,000 the mean row of those served is uniform, with a standard
    # error of 2,000 / sqrt(12 x 500) less what a sample without replacement saves.
    (found,) = lived(crowd(2_000), queue(500), [np.arange(2_000)])

    assert abs(found.served.row.mean() - 999.5) < 4.0 * 2_000 / 6_000**0.5


def test_one_more_who_comes_takes_one_place_and_shuffles_nobody():
    people = crowd(200)
    fewer, more = (
        [set(names_of(one.served)) for one in lived(people, queue(20), [rows, [], [], []])]
        for rows in (np.arange(1, 200), np.arange(200))
    )

    # The one more puts at most one a month off to the next.
    assert all(len(one - other) <= 1 for one, other in zip(fewer, more, strict=True))


def test_the_dead_and_those_who_moved_give_up_and_newcomers_do_not_inherit_their_place():
    people = crowd(30)
    line = coming(people, np.arange(30), 1)
    people.resident[:10] += 1_000  # somebody else lives there now
    people.state[10:20], people.resident[10:20] = VACANT, 0

    found = pass_month(queue(30)._replace(line=line), NO_CONTACTS, 30, people, PLACE, Draws(1), 2)

    assert found.given_up.row.tolist() == list(range(20))
    assert found.served.row.tolist() == list(range(20, 30))


def test_giving_up_and_spilling_are_competing_rates():
    people, n = crowd(40_000), 40_000
    usual = queue_of(0, 1, 1, 1.2, 0.6)
    line = coming(people, np.arange(n), 1)
    found = pass_month(usual._replace(line=line), NO_CONTACTS, 0, people, PLACE, Draws(1), 2)

    for part, rate in ((found.given_up, 1.2), (found.spilled, 0.6)):
        p = share_of_move(rate, 1.8)
        # Binomial, four standard errors.
        assert abs(part.size - n * p) < 4.0 * (n * p * (1.0 - p)) ** 0.5


def test_who_leaves_hangs_on_nobody_else():
    people = crowd(400)
    line = coming(people, np.arange(400), 1)
    apart = [
        pass_month(queue(0, 0.2, 0.2)._replace(line=part), NO_CONTACTS, 0, people, PLACE, Draws(1), 2)
        for part in (line, line.at(np.arange(200, 400)))
    ]

    assert apart[0].spilled.row[apart[0].spilled.row >= 200].tolist() == (apart[1].spilled.row.tolist())


@given(st.integers(0, 500), st.integers(1, 50), st.lists(st.integers(0, 9), max_size=20))
def test_the_sample_gets_its_share_of_all_that_was_offered(per_month, times, bought):
    one, rooms = queue_of(per_month, 1_000, 1_000 * times, 0.0, 0.0), []
    for extra in bought:
        rooms.append(one.room(extra))
        one = one._replace(offered=one.offered + per_month + extra)

    assert sum(rooms) == (per_month * len(bought) + sum(bought)) // times
    assert all(room >= 0 for room in rooms)


# --- Closed forms ---------------------------------------------------------------------------


def test_nobody_waits_where_there_is_room_for_all():
    for found in lived(crowd(600), queue(30), in_turn([30] * 20)):
        assert found.line.size == found.given_up.size == 0


def test_an_overload_settles_where_as_many_give_up_as_cannot_be_served():
    # W' = (1 - g) W + D - c: of those who wait a share g leaves, then c of the rest and of the D
    # who come are served. Its fixed point is W = (D - c) / g; each month binomial noise of variance
    # W g (1 - g) comes in and fades by 1 - g, so over M months the mean has a variance of
    # W (1 - g) / (g M).
    n_come, n_served, g, months, settled = 120, 100, 0.1, 400, 100
    found = lived(crowd(n_come * months), queue(n_served, g), in_turn([n_come] * months))
    waiting = np.array([one.line.size for one in found])[settled:]

    due = (n_come - n_served) / g
    error = (due * (1.0 - g) / (g * waiting.size)) ** 0.5
    assert abs(waiting.mean() - due) < 4.0 * error


def test_an_overload_nobody_gives_up_grows_by_what_cannot_be_served():
    found = lived(crowd(1_200), queue(25), in_turn([30] * 40))

    assert [one.line.size for one in found] == list(range(5, 205, 5))


# Ciw copies an iterator, as Python before 3.14 allows.
@pytest.mark.filterwarnings("ignore:Pickle, copy, and deepcopy support:DeprecationWarning")
def test_the_line_behaves_as_one_of_ciw():
    ciw = pytest.importorskip("ciw")
    n_months, per_month, g, settled = 100, 10, 0.1, 20

    class Patience(ciw.dists.Distribution):
        """Months until somebody gives up, each with chance g, just before the month's slot."""

        def __init__(self, rng):
            self._rng = rng

        def sample(self, t=None, ind=None):
            return float(self._rng.geometric(g)) + 0.25

    def of_ciw(counts, seed):
        ciw.seed(seed)
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Deterministic(1.0)],
            batching_distributions=[ciw.dists.Sequential(counts)],
            service_distributions=[ciw.dists.Deterministic(0.01)],
            reneging_time_distributions=[Patience(np.random.default_rng(seed))],
            number_of_servers=[ciw.Slotted(slots=[1.0], slot_sizes=[per_month], offset=0.5)],
        )
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(n_months + 0.9)
        gone = np.array([one.exit_date for one in simulation.get_all_records()])
        served = [one for one in simulation.get_all_records() if one.record_type == "service"]
        waits = [int(one.waiting_time) for one in served if one.arrival_date > settled]
        came = np.cumsum(counts)[settled:]
        lines = [came[k] - np.count_nonzero(gone < settled + 1 + k + 0.9) for k in range(came.size)]
        return np.mean(lines), np.mean(waits), gone.size - len(served)

    def of_ours(counts, seed):
        found = list(lived(crowd(sum(counts)), queue(per_month, g), in_turn(counts), seed))
        waits = np.concatenate([month - one.served.joined for month, one in enumerate(found, start=1)])
        joined = np.concatenate([one.served.joined for one in found])
        lines = [one.line.size for one in found[settled:]]
        n_given_up = sum(one.given_up.size for one in found)
        return np.mean(lines), np.mean(waits[joined > settled]), n_given_up

    gaps = []
    for seed in range(12):
        counts = np.random.default_rng(100 + seed).poisson(12.0, n_months).tolist()
        gaps.append(np.subtract(of_ours(counts, seed), of_ciw(counts, seed)))
    # The same arrivals, other chances of giving up: four standard errors over the seeds.
    mean, error = np.mean(gaps, axis=0), np.std(gaps, axis=0, ddof=1) / len(gaps) ** 0.5
    assert (np.abs(mean) < 4.0 * error).all(), (mean, error)


# --- Services ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny():
    update = {"place": "sandbeck", "population": 2_000, "years": 2, "burn_in_years": 0, "capacity": NO_LINES}
    return load_scenario().model_copy(update=update)


def flows_of(config, months=18, seed=1):
    """Live some months; yields the model, and the flow of each."""
    model = CommunityModel(config, rng=seed)
    for _ in range(months):
        model.step()
        yield model, model.simulation.now.service_use.flow


@every_rule
def test_no_contact_is_lost_in_any_service_fifth_or_age_band(tiny, rule):
    config = tiny.model_copy(update={"capacity": limited(rule)})
    before, total = 0, np.zeros((len(Flow._fields), len(config.services)), np.int64)
    for _, flow in flows_of(config):
        come = before + flow.demand + flow.spilled_in
        assert np.array_equal(come, flow.served + flow.spilled + flow.given_up + flow.waiting)
        spilled = [
            flow.spilled[config.services.index(name)].sum() for name in SERVICES if load_services()[name].spills_to
        ]
        spilled_in = flow.spilled_in[config.services.index(ATTENDANCE)]
        assert sum(spilled) == spilled_in.sum() == flow.spilled_in.sum()
        before = flow.waiting
        total += np.array(flow).sum(axis=(2, 3))

    contacts = total[:, : len(SERVICES)]
    for name, n in zip(Flow._fields, contacts, strict=True):
        if name in ("spilled_in", "spilled"):
            assert (n.sum() > 0) == (rule == "queue_and_spill")
        else:
            assert n[:3].all() and n.sum() > 0  # GP, ambulance, A&E: enough of each


def test_no_contact_is_served_twice_on_the_pathway_either(tiny):
    seen = {name: [] for name in SERVICES}
    config = tiny.model_copy(update={"capacity": limited("queue_and_spill", 0.7)})
    for model, flow in flows_of(config):
        for name, contacts in model.simulation.now.service_use.met.items():
            seen[name] += names_of(contacts)
            line = model.simulation.world.queues[name].line
            if line.size and contacts.size:
                assert contacts.joined.max() <= line.joined.min()
            k = config.services.index(name)
            assert flow.served[k].sum() == contacts.size

    for name, contacts in seen.items():
        assert len(contacts) == len(set(contacts)) > 0, name


@every_rule
def test_room_for_ten_times_the_demand_changes_no_bit(tiny, rule):
    # All but appointments, at which help would begin after the month and not within it.
    config = tiny.model_copy(update={"capacity": limited(rule, 10.0, [name for name in SERVICES if name != GP])})
    (*_, (free, _)), (*_, (queued, _)) = flows_of(tiny), flows_of(config)

    assert free.digest() == queued.digest()


def test_demand_is_as_it_was_where_treatment_does_nothing(tiny):
    # Treated or not, in whichever line: nobody's state hangs on it, so nobody's demand does.
    services = [name for name in SERVICES if name != GP]
    no_effect = {"treatment_improve_ratio": 1.0, "waiting_improve_ratio": 1.0}
    config = tiny.model_copy(update={"parameters": no_effect})
    queued = config.model_copy(update={"capacity": limited("queue", 0.5, services)})
    for (_, free), (_, waited) in zip(flows_of(config), flows_of(queued), strict=True):
        # Fewer calls served are fewer brought in: what comes of itself is the same.
        apart = [k for k, name in enumerate(config.services) if name not in PATHWAY[1:]]
        assert np.array_equal(free.demand[apart], waited.demand[apart])


def test_the_same_bits_come_in_any_order_of_services_with_lines(tiny):
    tables = []
    for services in (SERVICES, SERVICES[::-1]):
        update = {"services": services, "capacity": limited("queue_and_spill")}
        *_, (model, _) = flows_of(tiny.model_copy(update=update), 12)
        table = model.recorder.tables()["services"].to_pandas()
        tables.append(table.sort_values(["service", "quintile", "age_band"], ignore_index=True))

    assert tables[0].equals(tables[1])


def test_who_waits_for_an_appointment_may_turn_to_hospital_and_a_bed():
    people = crowd(2_000)
    people.propensity[:] = 1.0
    line = coming(people, np.arange(2_000), 1)
    queues = {GP: queue(0, 0.0, 0.25)._replace(line=line)}
    demand, named = nobody_comes(admitted=1.0), (ATTENDANCE, ADMISSION)
    found = monthly_services(people, SERVICES, demand, Draws(1), 2, queues=queues, listed=named)
    flow = dict(zip(SERVICES, np.array(found.flow).swapaxes(0, 1).sum(axis=(2, 3)), strict=True))

    spilled = Flow(*flow[GP]).spilled
    assert Flow(*flow[ATTENDANCE])[:3] == (0, spilled, spilled)
    assert Flow(*flow[ADMISSION]).demand == spilled
    # They are no new demand of hospitals': nobody is named as having come of themselves.
    assert found.rows[ATTENDANCE][0].size == 0
    assert found.rows[ADMISSION][0].size == spilled


def test_bought_contacts_are_served_beside_the_others():
    people = crowd(100)
    line = coming(people, np.arange(100), 1)
    queues = {GP: queue(10)._replace(line=line)}
    for extra, due in ((0, 10), (7, 17)):
        found = monthly_services(people, [GP], nobody_comes(), Draws(1), 2, queues=queues, bought={GP: extra})
        assert found.flow.served.sum() == due
        assert found.queues[GP].offered == due


# --- What waiting does -----------------------------------------------------------------------


def account_of(met=NO_CONTACTS, left=NO_CONTACTS, line=NO_CONTACTS):
    found = monthly_services(crowd(1), [], nobody_comes(), Draws(1), 1)
    return found._replace(met={REFERRAL: met}, left={REFERRAL: left}, queues={REFERRAL: queue(1)._replace(line=line)})


def test_treatment_begins_when_served_waits_when_not_and_ends_with_hope():
    people = crowd(6)
    months = np.array([WAITS, WAITS, 0, 2, 2, 0], np.int8)
    met, left, line = (coming(people, rows, 1) for rows in ([0, 3], [1], [2, 4]))
    rows, values = treatments(account_of(met, left, line), months, 3)
    months[rows] = values

    # Served: 0 and 3. Given up: 1. Waiting: 2; and 4, who is still in treatment.
    assert months.tolist() == [3, 0, WAITS, 3, 2, 0]


def test_who_gives_one_contact_up_and_waits_with_another_waits():
    people = crowd(1)
    one = coming(people, [0], 1)
    months = np.array([WAITS], np.int8)
    rows, values = treatments(account_of(left=one, line=one), months, 3)
    months[rows] = values

    assert months.tolist() == [WAITS]


def test_help_begins_with_the_appointment_that_was_sought():
    people = crowd(4)
    sought = coming(people, np.arange(4), 1)
    sought.is_sought[:] = True, True, False, True
    months = np.array([WAITS, WAITS, WAITS, 5], np.int8)
    rows, values = answers(sought.at(np.array([0, 2, 3])), sought.at(np.array([1])), months, 4)
    months[rows] = values

    # Another appointment than that sought brings no help, nor does one whose time has passed.
    assert months.tolist() == [4, 0, WAITS, 5]


def test_who_seeks_help_waits_for_the_appointment(tiny):
    config = tiny.model_copy(update={"capacity": limited("queue", 0.6, [GP])})
    for model, _ in flows_of(config, 6):
        people, line = model.population, model.simulation.world.queues[GP].line
        waiting = np.unique(line.row[line.is_sought & (people.resident[line.row] == line.resident)])
        assert np.array_equal(waiting, np.flatnonzero(people.is_present & (people.help_months == WAITS)))
    assert waiting.size > 0
    *_, (free, _) = flows_of(tiny, 6)
    assert (free.population.help_months >= 0).all()


def test_those_who_wait_for_treatment_are_marked_and_they_alone(tiny):
    config = tiny.model_copy(update={"capacity": limited("queue_and_spill", 0.4, [REFERRAL])})
    for model, _ in flows_of(config, 12):
        people, line = model.population, model.simulation.world.queues[REFERRAL].line
        waiting = line.row[people.resident[line.row] == line.resident]
        marked = np.flatnonzero(people.is_present & (people.treatment_months == WAITS))
        assert set(marked) <= set(waiting)
        assert (people.treatment_months[waiting] != 0).all()
    assert marked.size > 0


def months_in_crisis(config, seed):
    *_, (model, _) = flows_of(config, 24, seed)
    return model.recorder.tables()["people"].to_pandas()["in_crisis_months"].sum()


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "prolongs"), [("queue", True), ("unlimited", False)])
def test_a_queue_prolongs_crisis_and_none_does_not(tiny, rule, prolongs):
    strong = {"treatment_improve_ratio": 2.5, "waiting_improve_ratio": 0.6}
    free = tiny.model_copy(update={"parameters": strong, "population": 3_000})
    other = free.model_copy(update={"capacity": limited(rule, 0.3, [REFERRAL])})
    more = np.array([months_in_crisis(other, seed) - months_in_crisis(free, seed) for seed in SEEDS])

    # Paired over eight seeds, four standard errors; the null differs in no bit.
    assert (more.mean() > 4.0 * more.std(ddof=1) / more.size**0.5) == prolongs
    assert prolongs or not more.any()


# --- The scenario ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capacity", "told"),
    [
        (
            {"gpp": {}},
            "capacity.gpp: is not a service with contacts, whose capacity could be limited. Did you mean 'gp'",
        ),
        ({"looked_after_child": {}}, "capacity.looked_after_child: is not a service with contacts"),
        ({GP: {"rule": "qeue"}}, "capacity.gp.rule = 'qeue': "),
        ({GP: {"relative": 0.0}}, "capacity.gp.relative = 0.0: "),
        ({GP: {"relative": -1.0}}, "capacity.gp.relative = -1.0: "),
        ({GP: {"relative": 11.0}}, "capacity.gp.relative = 11.0: "),
        ({GP: {"relativ": 1.0}}, "capacity.gp.relativ = 1.0: unknown key. Did you mean 'relative'"),
    ],
)
def test_a_capacity_that_cannot_be_is_refused(tiny, capacity, told):
    with pytest.raises(ScenarioError) as problem:
        tiny.model_copy(update={"capacity": capacity})
    assert str(problem.value).startswith(told)


def test_a_capacity_of_a_service_left_out_limits_nothing(tiny):
    config = tiny.model_copy(update={"services": [ATTENDANCE], "capacity": limited(services=[GP])})

    assert config.limited_services == {}


def test_capacity_is_a_share_of_what_is_expected_of_the_place(tiny):
    half, whole = (
        CommunityModel(tiny.model_copy(update={"capacity": limited("queue", share)}), rng=1) for share in (0.5, 1.0)
    )
    for name in SERVICES:
        one, two = half.simulation.world.queues[name], whole.simulation.world.queues[name]
        assert 2 * one.per_month <= two.per_month <= 2 * one.per_month + 1
        assert (one.real, one.sample) == (40_000, 2_000)
        if load_services()[name].base == "people":
            # By England's rate; propensities of 2,000, and fifths like England's, leave a quarter.
            due = 40_000 * half.parameters[f"{name}_rate"] / 12_000.0
            assert two.per_month == pytest.approx(due, rel=0.25)


def test_a_branch_opens_its_own_lines(tiny):
    config = tiny.model_copy(update={"capacity": limited("queue_and_spill")})
    past = CommunityModel(tiny, rng=1)
    branch, straight = past.branch(config), CommunityModel(config, rng=1)
    for _ in range(6):
        branch.step()
        straight.step()

    assert branch.digest() == straight.digest()


# --- What is written down ----------------------------------------------------------------------


def test_the_year_holds_what_flowed_and_what_waits_at_its_end(tiny):
    config = tiny.model_copy(update={"capacity": limited("queue_and_spill")})
    models, flows = zip(*flows_of(config, 12), strict=True)
    model, flow = models[-1], flows[-1]
    sums = np.array(flows).sum(axis=(0, 3, 4))
    table = model.recorder.tables()["services"].to_pandas()
    found = table.groupby("service")[list(Flow._fields)].sum().loc[list(config.services)]

    contacts = [list(config.services).index(name) for name in contact_services()]
    for k, name in enumerate(Flow._fields):
        due = flow.waiting.sum(axis=(1, 2)) if name == "waiting" else sums[k]
        assert found[name].to_numpy()[contacts].tolist() == due[contacts].tolist()
    is_stock = np.isin(table["service"], contact_services(), invert=True)
    assert (table["stock_months"][~is_stock] == 0).all()
    assert (table["stock_months"][is_stock] > 0).any()


def test_a_stock_costs_by_the_year_in_it(tiny):
    model = CommunityModel(tiny, rng=1)
    prices = model.simulation.prepared.prices_gbp
    recorder = Recorder(model.place, ["looked_after_child", GP], model.parameters, prices)
    entries, in_stock = np.zeros((2, 5, 7), np.int64)
    entries[0, 0], in_stock[0, 0] = 2, 10
    none = Flow(*np.zeros((len(Flow._fields), 2, 5, 7), np.int64))
    for month in range(1, 13):
        recorder.record(
            month,
            model.population,
            model.network,
            none,
            {**model.simulation.now.vital, **prevention_now(model.simulation)},
            {"looked_after_child": (entries, in_stock)},
        )
    rows = recorder.tables()["services"].to_pandas()
    stock = rows[rows["service"] == "looked_after_child"].iloc[0]

    assert (stock["demand"], stock["served"], stock["stock_months"]) == (24, 24, 120)
    assert stock["cost_gbp"] == pytest.approx(10 * model.parameters.looked_after_child_unit_cost)
    children = np.count_nonzero(
        (model.population.state != VACANT) & (model.population.age_band == 0) & (model.population.quintile == 1)
    )
    assert stock["base_population"] == pytest.approx(children)
    others = rows[(rows["service"] == "looked_after_child") & (rows["age_band"] != "0-15")]
    assert not others["base_population"].any()
    assert not rows[rows["service"] == GP]["cost_gbp"].any()
