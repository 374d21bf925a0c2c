"""Residents who are followed: nothing changes by it, and all that is told of them is what the model did."""

from collections import Counter

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import EMPLOYED
from model.core.rates import share_of_move
from model.inputs.scenario import Scenario
from model.simulation.following import HERE, MOVES, STOCKS, STRIKES, Life, events_of, follow
from model.simulation.parting import months_apart, partings
from model.simulation.standing import Standing, causes, hazards_of, move_of, outcome, standing_of

MONTHS = 12


@pytest.fixture(scope="module")
def config() -> Scenario:
    plan = load_scenario("people_powered_shift")
    update = {"place": "sandbeck", "population": 400, "years": 1, "burn_in_years": 1, "replicates": 1}
    return plan.model_copy(update=update)


@pytest.fixture(scope="module")
def past(config: Scenario) -> CommunityModel:
    return CommunityModel(config, rng=3)


@pytest.fixture(scope="module")
def alone(past: CommunityModel, config: Scenario) -> tuple[str, set[int]]:
    """The digest of the plan's world when nobody is followed, and everybody who was ever there at a month's end."""
    world = past.branch(config)
    seen = set(world.agents.get("resident"))
    for _ in range(MONTHS):
        world.step()
        seen.update(world.agents.get("resident"))
    return world.digest(), seen


@pytest.fixture(scope="module")
def followed(
    past: CommunityModel, config: Scenario, alone: tuple[str, set[int]]
) -> tuple[CommunityModel, dict[int, Life]]:
    """Everybody in the world of the plan."""
    world = past.branch(config)
    return world, follow(world, sorted(alone[1]))


@pytest.fixture(scope="module")
def usual(past: CommunityModel, config: Scenario, alone: tuple[str, set[int]]) -> dict[int, Life]:
    """The same residents without the plan."""
    return follow(past.branch(config.model_copy(update={"plan": ()})), sorted(alone[1]))


def test_a_world_that_is_followed_comes_out_as_it_does_otherwise(followed, alone):
    assert followed[0].digest() == alone[0]


def test_what_decides_a_move_gives_the_move_that_was_made(followed):
    n_moves = 0
    for life in followed[1].values():
        for one in (month for month in life.months if month.standing):
            moved = [
                happened.after for happened in one.happenings if (happened.step, happened.what) == (MOVES, "state")
            ]
            n_moves += len(moved)
            assert outcome(one.standing) == (moved[0] if moved else one.standing.state)
    assert n_moves > 50


def test_named_life_events_weigh_what_the_step_adds_to_stress(past, config):
    world = past.branch(config.model_copy(update={"shocks": ({"kind": "pandemic", "start_month": 2},), "name": "hit"}))
    people, struck = world.population, Counter()
    for month in range(1, 7):
        before, worked = people.stress.copy(), people.employment.copy()
        for step in world.step_by_step():
            for row in people.adults if step.name == STRIKES else ():
                found = events_of(world.simulation, int(row), month, had_work=bool(worked[row] == EMPLOYED))
                struck.update(found.keys())
                added = float(people.stress[row] - before[row])
                assert sum(found.values()) == pytest.approx(added, abs=1e-5)  # stress is a float32
    assert len(struck) == 5


def test_contacts_and_costs_of_everybody_are_those_of_the_place(followed):
    world, lives = followed
    services = world.recorder.tables()["services"].to_pandas()
    is_stock = services["service"].isin(STOCKS)
    in_place = services.assign(used=services["stock_months"].where(is_stock, services["served"]))
    used = sum((Counter(one.use) for life in lives.values() for one in life.months), Counter())
    cost = sum(one.cost_gbp for life in lives.values() for one in life.months)

    contacts = in_place.groupby("service")["used"].sum()
    assert dict(used) == contacts[contacts > 0].to_dict()
    # Months of a stay are whole in each cell of the table: half a month either way, and what a life has is exact.
    n_cells = services.groupby(["quintile", "age_band"]).ngroups
    half_a_month = world.parameters.temporary_accommodation_unit_cost / 24
    assert cost == pytest.approx(services["cost_gbp"].sum() / world.scale, abs=n_cells * half_a_month)


def test_a_life_beside_itself_never_differs(followed):
    for life in followed[1].values():
        assert partings(life, life) == []
        assert months_apart(life, life) == 0


def test_lives_differ_in_the_months_after_somebody_parts_and_only_then(followed, usual):
    n_apart = 0
    for resident, ours in followed[1].items():
        theirs = usual[resident]
        found = partings(ours, theirs)
        first = min((one.month for one in found), default=MONTHS + 1)
        for one, other in zip(ours.months[: first - 1], theirs.months[: first - 1], strict=True):
            assert (one.fate, one.state, one.use) == (other.fate, other.state, other.use)
        n_apart += bool(found)
    assert n_apart > 10


def test_every_first_move_that_differs_has_a_cause_in_the_hazards(followed, usual):
    n_moves = 0
    for resident, ours in followed[1].items():
        for one in partings(ours, usual[resident]):
            if one.moves_differ and one.ours.fate == one.theirs.fate == HERE:
                n_moves += 1
                assert one.causes
                assert one.ours.standing.draw == one.theirs.standing.draw
    assert n_moves > 3


@pytest.fixture(scope="module")
def standing(past: CommunityModel) -> Standing:
    """Somebody who copes, with no stress."""
    people = past.population
    row = int(np.flatnonzero((people.state == 1) & (people.stress == 0.0))[0])
    return standing_of(past.simulation, row, 1)


def between(low: Standing, high: Standing) -> float:
    """Return a draw at which the one worsens and the other does not."""
    shares = [share_of_move(one.worsen + one.jump_down, sum(one)) for one in map(hazards_of, (low, high))]
    return sum(shares) / 2.0


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("moods", {"discontent": 6.0}),
        ("programmes", {"programme_worsen": np.float32(0.4)}),
        ("stress", {"stress": np.float32(2.0)}),
    ],
)
def test_the_one_thing_that_differs_is_the_cause(standing, part, change):
    worse = standing._replace(**change)
    draw = between(standing, worse)
    one, other = (each._replace(draw=draw) for each in (standing, worse))

    assert (move_of(one), move_of(other)) == (0, 1)
    assert [(cause.part, cause.is_enough) for cause in causes(one, other)] == [(part, True)]
    assert causes(one, one) == []


def test_support_alone_is_no_cause_where_nothing_is_felt(standing):
    assert causes(standing, standing._replace(support=standing.support + 9.0)) == []


def test_two_things_that_only_do_it_together_are_told_so(standing):
    moods, programmes = {"discontent": 3.0}, {"programme_worsen": np.float32(0.3)}
    both = standing._replace(**moods, **programmes)
    single = max(
        share_of_move(one.worsen, sum(one))
        for one in (hazards_of(standing._replace(**moods)), hazards_of(standing._replace(**programmes)))
    )
    of_both = hazards_of(both)
    draw = (single + share_of_move(of_both.worsen, sum(of_both))) / 2.0
    found = causes(standing._replace(draw=draw), both._replace(draw=draw))

    assert {cause.part for cause in found} == {"moods", "programmes"}
    assert not any(cause.is_enough for cause in found)


def test_a_lonely_term_exchanged_makes_the_risk_the_model_would(standing):
    lonely = {**standing.steady, "lonely": standing.steady["lonely"] + 0.4}
    log_hazard = np.float32(sum(lonely.values()))
    other = standing._replace(
        steady=lonely,
        log_hazard=log_hazard,
        worsen_risk=np.float32(np.exp(log_hazard)),
        improve_risk=np.float32(np.exp(-standing.rates.stress.recovery_exponent * log_hazard)),
    )
    draw = between(standing, other)
    found = causes(standing._replace(draw=draw), other._replace(draw=draw))

    assert [(cause.part, cause.is_enough) for cause in found] == [("lonely", True)]
