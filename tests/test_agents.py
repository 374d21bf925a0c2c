"""What Mesa's surface promises here: windows, the set of residents, collectors, explanations."""

import copy
import gc
import math
import operator
import pickle
from collections import Counter
from collections.abc import Hashable
from random import Random
from typing import NamedTuple

import mesa
import numpy as np
import pytest
from mesa.agent import AgentSet

from model import CommunityModel, load_scenario
from model.agents import Resident, ResidentSet
from model.core.codes import CHILDREN, LAYER_NAMES, NO_STATE
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose
from model.rules import wellbeing
from model.state import population
from model.state.population import COLUMNS, DECLARED

POPULATION = 600
SEED = 7
BRIEFLY = 6
"""Months enough for a hundred or so moves between states."""
DRAW_THAT_STAYS = 0.5
"""Far from both ends, where moves are."""
SINGLE_PRECISION = 1e-6
SMALL = {"population": POPULATION, "burn_in_years": 0, "years": 1, "place": "sandbeck"}

TOWN = 5_000
TOWN_MONTHS = 24
"""Months in which a town of this size has a hundred or so births, and as many deaths."""
LITTLE_ROOM = 1.02
"""Rows for each founder, few enough that newborns soon sit where somebody died."""


NOTHING_HAPPENS = dict.fromkeys(
    (
        "tie_attempts",
        "tie_end_local",
        "job_loss_rate",
        "job_finding_rate",
        "money_shock_rate",
        "carer_rate",
        "condition_rate",
        "help_seeking_struggling",
        "help_seeking_in_crisis",
    ),
    0.0,
)


def still(**update):
    """Let ties stand still and nobody be born or die: the next step is as explained."""
    structure = {"demography": False, **update.pop("structure", {})}
    parameters = {**NOTHING_HAPPENS, **update.pop("parameters", {})}
    return {"structure": structure, "parameters": parameters, **update}


VARIANTS = {
    "default": still(),
    "levers": still(levers={"worsen_hazard_ratio": 0.7, "improve_hazard_ratio": 1.3}),
    "jumps": still(structure={"direct_jumps": True}),
    "contagion from all": still(structure={"contagion_from": "all"}),
    "no contagion": still(structure={"variant": "no_contagion"}),
    "wide frailty, low cap": still(parameters={"frailty_sd": 1.0, "log_hazard_cap": 2.0}),
}


def new_model(seed=SEED, **update):
    return CommunityModel(load_scenario().model_copy(update={**SMALL, **update}), rng=seed)


def row_of(model, position):
    """Return the row of a resident who is there: the founders are spread over the rows."""
    return int(np.flatnonzero(model.population.is_present)[position])


@pytest.fixture(scope="module")
def model():
    """Never stepped: tests that live a month take a branch."""
    return new_model()


@pytest.fixture
def agents(model):
    return model.agents


@pytest.fixture
def ids(model):
    return in_words(model, "resident")


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    return new_model(**VARIANTS[request.param])


@pytest.fixture(scope="module")
def explained(variant):
    """Every adult of a variant, with the terms of their hazards."""
    return [(one, one.explain()) for one in variant.agents if one.state is not None]


def generator():
    return Random(SEED)  # noqa: S311 - the kind Mesa's sets hold


def column(model, name):
    """Return a column of those who are there, in the order of their rows."""
    people = model.population
    return people.columns[name][people.is_present]


def in_words(model, name):
    codes = column(model, name).tolist()
    labels = DECLARED[name].labels
    return [labels[code] if code >= 0 else None for code in codes] if labels else codes


def ids_of(residents):
    return [one.unique_id for one in residents]


def copied_columns(model):
    return {name: values.tolist() for name, values in model.population.columns.items()}


# --- The surface of Mesa's set, name by name ------------------------------------------------

MESA_SETS = tuple(dict.fromkeys((AgentSet, type(mesa.Model().agents))))

MACHINERY = {
    "__abstractmethods__",
    "__annotations__",
    "__class__",
    "__class_getitem__",
    "__dict__",
    "__doc__",
    "__firstlineno__",
    "__slotnames__",
    "__init__",
    "__init_subclass__",
    "__module__",
    "__orig_bases__",
    "__parameters__",
    "__slots__",
    "__static_attributes__",
    "__subclasshook__",
    "__type_params__",
    "__weakref__",
    "_abc_impl",
}
"""What Python or typing gives a class: nobody calls it on a set of agents."""

FROM_MEMBERSHIP = "collections.abc makes it of iteration, membership and `_from_iterable`"
INHERITED = dict.fromkeys(
    (
        "__and__",
        "__rand__",
        "__or__",
        "__ror__",
        "__sub__",
        "__rsub__",
        "__xor__",
        "__rxor__",
        "__le__",
        "__lt__",
        "__ge__",
        "__gt__",
        "_hash",
    ),
    FROM_MEMBERSHIP,
)
"""Names that `ResidentSet` does not state anew, and why it need not."""


def mesa_names(mesa_class):
    own = {name for name in dir(mesa_class) if getattr(mesa_class, name) is not getattr(object, name, None)}
    return own - MACHINERY


def heard(visit):
    """Return who was visited, in order."""
    seen = []
    visit(seen.append)
    return seen


def grouped(groups):
    return {key: list(group) for key, group in groups}


WORKS = {
    "__len__": lambda some, others: len(some),
    "__iter__": lambda some, others: list(some),
    "__contains__": lambda some, others: [one in some for one in others],
    "__getitem__": lambda some, others: [some[0], some[-1], some[1:9:2]],
    "__reversed__": lambda some, others: list(reversed(some)),
    "__eq__": lambda some, others: [some == others, some == set(some), some == len(some)],
    "__le__": lambda some, others: [some <= others, some <= set(some), some <= some | others],
    "__lt__": lambda some, others: [some < others, some < set(some), some < some | others],
    "__ge__": lambda some, others: [some >= others, some >= set(some), some >= some & others],
    "__gt__": lambda some, others: [some > others, some > set(some), some > some & others],
    "__and__": lambda some, others: list(some & others),
    "__rand__": lambda some, others: list(some.__rand__(others)),
    "__or__": lambda some, others: list(some | others),
    "__ror__": lambda some, others: list(some.__ror__(others)),
    "__sub__": lambda some, others: list(some - others),
    "__rsub__": lambda some, others: list(some.__rsub__(others)),
    "__xor__": lambda some, others: list(some ^ others),
    "__rxor__": lambda some, others: list(some.__rxor__(others)),
    "__hash__": lambda some, others: isinstance(some, Hashable),
    "__copy__": lambda some, others: list(copy.copy(some)),
    "_from_iterable": lambda some, others: list(some._from_iterable([*others, *others])),
    "_hash": lambda some, others: some._hash(),
    "agg": lambda some, others: [some.agg("frailty", max), some.agg("frailty", [min, sum])],
    "copy": lambda some, others: list(some.copy()),
    "count": lambda some, others: [some.count(one) for one in others],
    "do": lambda some, others: [
        heard(some.do),
        heard(lambda hear: some.do(lambda one, told: hear((one, told)), told=1)),
        some.do("step") is some,
    ],
    "get": lambda some, others: [
        some.get("sex"),
        some.get(["unique_id", "state"]),
        some.get([]),
        some.get(["sex", "shoe"], handle_missing="default", default_value=0),
    ],
    "groupby": lambda some, others: [
        grouped(some.groupby("sex")),
        grouped(some.groupby(lambda one: one.unique_id % 3)),
        some.groupby("sex", result_type="list").groups,
    ],
    "index": lambda some, others: [
        [some.index(one) for one in list(some)],
        some.index(list(some)[4], 2, -1),
    ],
    "isdisjoint": lambda some, others: [some.isdisjoint(others), some.isdisjoint([])],
    "map": lambda some, others: [
        some.map("neighbours", "kin"),
        some.map(lambda one, add: one.unique_id + add, add=1),
    ],
    "select": lambda some, others: [
        list(some.select()),
        list(some.select(lambda one: one.sex == "female")),
        list(some.select(at_most=3)),
        list(some.select(at_most=0.33)),
        list(some.select(at_most=1)),
        list(some.select(at_most=1.0)),
        list(some.select(agent_type=Resident, at_most=2)),
        list(some.select(agent_type=int)),
    ],
    "shuffle": lambda some, others: list(some.shuffle()),
    "shuffle_do": lambda some, others: heard(some.shuffle_do),
    "sort": lambda some, others: [
        list(some.sort("sex")),
        list(some.sort("sex", ascending=True)),
        list(some.sort(lambda one: one.unique_id % 3)),
    ],
    "to_list": lambda some, others: some.to_list(),
}
"""Calls made alike on a `ResidentSet` and on Mesa's own set of the same residents."""

REFUSES = {
    "__getstate__": lambda some: some.__getstate__(),
    "__iand__": lambda some: operator.iand(some, some.copy()),
    "__ior__": lambda some: operator.ior(some, some.copy()),
    "__isub__": lambda some: operator.isub(some, some.copy()),
    "__ixor__": lambda some: operator.ixor(some, some.copy()),
    "__setstate__": lambda some: some.__setstate__({}),
    "_update": lambda some: some._update([]),
    "add": lambda some: some.add(some[0]),
    "clear": lambda some: some.clear(),
    "discard": lambda some: some.discard(some[0]),
    "pop": lambda some: some.pop(),
    "remove": lambda some: some.remove(some[0]),
    "set": lambda some: some.set("state", "thriving"),
}

SHARED = [
    pytest.param(mesa_class, name, id=f"{mesa_class.__name__}.{name}")
    for mesa_class in MESA_SETS
    for name in sorted(WORKS.keys() & mesa_names(mesa_class))
]


@pytest.mark.parametrize("mesa_class", MESA_SETS)
def test_every_method_of_mesas_set_is_stated_anew_or_listed(mesa_class):
    assert mesa_names(mesa_class) - vars(ResidentSet).keys() == INHERITED.keys()


@pytest.mark.parametrize("mesa_class", MESA_SETS)
def test_every_method_of_mesas_set_is_called_here(mesa_class):
    assert mesa_names(mesa_class) <= WORKS.keys() | REFUSES.keys()


# Mesa 3.5 warns when its own set is read by position; ours may be.
@pytest.mark.filterwarnings("ignore:AgentSet.__getitem__ is deprecated:PendingDeprecationWarning")
@pytest.mark.parametrize(("mesa_class", "name"), SHARED)
def test_set_answers_as_mesas_own(mesa_class, name, agents):
    everyone = list(agents)
    some = agents.select(at_most=40)
    some.random = generator()
    mesas = mesa_class(everyone[:40], random=generator())
    others = dict.fromkeys(everyone[20:60]).keys()
    assert WORKS[name](some, others) == WORKS[name](mesas, others)


@pytest.mark.parametrize("name", REFUSES)
def test_set_refuses_by_name(name, agents):
    with pytest.raises(NotImplementedError, match=rf"ResidentSet\.{name}: "):
        REFUSES[name](agents)


@pytest.mark.parametrize("name", ["select", "shuffle", "sort"])
def test_set_refuses_to_change_in_place(name, agents):
    arguments = ["sex"] if name == "sort" else []
    with pytest.raises(NotImplementedError, match=rf"ResidentSet\.{name}\(inplace=True\)"):
        getattr(agents, name)(*arguments, inplace=True)


@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy])
def test_set_refuses_to_be_pickled(take, agents):
    with pytest.raises(TypeError, match="ResidentSet is a window on a model and cannot be pickled"):
        take(agents)


@pytest.mark.parametrize("join", [operator.or_, operator.xor])
def test_set_refuses_to_mix_models(join, agents):
    with pytest.raises(ValueError, match="no resident of this set's model"):
        join(agents, new_model().agents)


def test_set_is_mesas_agent_set(agents):
    assert isinstance(agents, AgentSet)


# --- The set, against plain Python over the columns -----------------------------------------


def test_set_holds_every_founder_once_in_order(agents, ids):
    assert ids_of(agents) == ids == list(range(1, POPULATION + 1))


def test_some_rows_are_vacant(model):
    assert model.population.n_rows > len(model.agents)


def test_select_takes_those_for_whom_a_function_holds(model, agents, ids):
    women = agents.select(lambda one: one.sex == "female")
    assert ids_of(women) == [who for who, sex in zip(ids, in_words(model, "sex"), strict=True) if sex == "female"]


def test_select_takes_at_most_a_number_of_those_that_pass(model, agents, ids):
    children = agents.select(lambda one: one.state is None, at_most=5)
    is_child = column(model, "state") == NO_STATE
    assert ids_of(children) == [who for who, child in zip(ids, is_child, strict=True) if child][:5]


def test_select_takes_at_most_a_share_of_all(agents, ids):
    some = agents.select(lambda one: one.unique_id % 2 == 0, at_most=0.3333)
    assert ids_of(some) == ids[1::2][: int(POPULATION * 0.3333)]


def test_select_tells_one_from_all(agents):
    assert (len(agents.select(at_most=1)), len(agents.select(at_most=1.0))) == (1, POPULATION)


def test_shuffle_keeps_everybody(agents, ids):
    assert sorted(ids_of(agents.shuffle())) == ids


def test_shuffle_follows_the_generator(agents, ids):
    agents.random = generator()
    generator().shuffle(ids)
    assert ids_of(agents.shuffle()) == ids


def test_shuffle_draws_from_the_model(agents, model):
    assert agents.random is model.random


def test_shuffle_do_visits_in_shuffled_order(agents, ids):
    agents.random = generator()
    generator().shuffle(ids)
    assert ids_of(heard(agents.shuffle_do)) == ids


@pytest.mark.parametrize("ascending", [True, False])
def test_sort_follows_a_column(ascending, model, agents, ids):
    frailty = in_words(model, "frailty")
    order = sorted(range(POPULATION), key=lambda nth: frailty[nth], reverse=not ascending)
    assert ids_of(agents.sort("frailty", ascending=ascending)) == [ids[nth] for nth in order]


def test_sort_puts_the_highest_first_by_default(agents, ids):
    assert ids_of(agents.sort(lambda one: one.unique_id)) == ids[::-1]


def test_do_visits_everybody_in_order(agents, ids):
    assert ids_of(heard(agents.do)) == ids


def test_do_returns_the_set(agents):
    assert agents.do("step") is agents


def test_map_calls_a_method_by_name(model, agents):
    degrees = [len(kin) for kin in agents.map("neighbours", "kin")]
    assert degrees == model.network.degree("kin")[model.population.is_present].tolist()


def test_map_calls_a_function_with_its_arguments(agents, ids):
    assert agents.map(lambda one, by: one.unique_id * by, by=2) == [2 * who for who in ids]


def test_agg_applies_one_function(model, agents):
    assert agents.agg("quintile", sum) == column(model, "quintile").sum()


def test_agg_applies_several_functions(model, agents):
    frailty = in_words(model, "frailty")
    assert agents.agg("frailty", [min, max]) == [min(frailty), max(frailty)]


@pytest.mark.parametrize("name", DECLARED)
def test_get_reads_a_column(name, model, agents):
    assert agents.get(name) == in_words(model, name)


def test_get_reads_what_is_no_column(model, agents):
    born = in_words(model, "birth_month")
    assert agents.get("age_years") == [(model.month - month) // MONTHS_PER_YEAR for month in born]


def test_get_reads_several_names(model, agents):
    pairs = zip(in_words(model, "sex"), in_words(model, "state"), strict=True)
    assert agents.get(["sex", "state"]) == [list(pair) for pair in pairs]


def test_get_keeps_the_order_of_its_set(model, agents):
    assert agents.sort("resident").get("age_band") == in_words(model, "age_band")[::-1]


def test_get_names_what_is_missing(agents):
    with pytest.raises(AttributeError, match="'shoe'"):
        agents.get(["sex", "shoe"])


def test_get_fills_what_is_missing(agents):
    assert agents.get("shoe", handle_missing="default", default_value=0) == [0] * POPULATION


def test_get_refuses_another_way_with_what_is_missing(agents):
    with pytest.raises(ValueError, match="'skip'"):
        agents.get("sex", handle_missing="skip")


def test_groupby_a_column(model, agents, ids):
    expected = {}
    for who, state in zip(ids, in_words(model, "state"), strict=True):
        expected.setdefault(state, []).append(who)
    assert {state: ids_of(group) for state, group in agents.groupby("state")} == expected


def test_groupby_a_function(agents, ids):
    groups = agents.groupby(lambda one: one.unique_id % 3)
    assert {key: ids_of(group) for key, group in groups} == {
        1: ids[::3],
        2: ids[1::3],
        0: ids[2::3],
    }


def test_groupby_gives_sets(agents):
    assert all(isinstance(group, ResidentSet) for _, group in agents.groupby("sex"))


def test_groupby_gives_lists_on_request(agents):
    assert all(type(group) is list for _, group in agents.groupby("sex", result_type="list"))


@pytest.mark.parametrize("result_type", ["agentset", "list"])
def test_groups_hold_their_members_after_a_collection(result_type, model, agents):
    groups = agents.groupby("state", result_type=result_type)
    gc.collect()
    assert groups.count() == Counter(in_words(model, "state"))


@pytest.mark.parametrize("result_type", ["agentset", "list"])
def test_groups_aggregate_a_column(result_type, model, agents):
    expected = Counter()
    for sex, quintile in zip(in_words(model, "sex"), in_words(model, "quintile"), strict=True):
        expected[sex] += quintile
    assert agents.groupby("sex", result_type=result_type).agg("quintile", sum) == expected


def test_groups_map_a_function(model, agents):
    assert agents.groupby("sex").map(len) == Counter(in_words(model, "sex"))


def test_groups_map_a_method_by_name(model, agents):
    oldest = agents.groupby("age_band").map("agg", "birth_month", min)
    born = column(model, "birth_month")[column(model, "age_band") == CHILDREN]
    assert oldest["0-15"] == born.min()


def test_groups_do_visits_every_group(agents):
    groups = agents.groupby("sex")
    assert heard(groups.do) == list(groups.groups.values())


def test_groups_are_as_many_as_keys(model, agents):
    assert len(agents.groupby("age_band")) == len(set(in_words(model, "age_band")))


def test_sets_of_the_same_residents_are_equal_in_any_order(agents):
    assert agents.shuffle() == agents == set(agents)


def test_sets_of_different_residents_differ(agents):
    assert agents.select(at_most=3) != agents


def test_copy_holds_the_same_residents(agents, ids):
    assert ids_of(copy.copy(agents)) == ids_of(agents.copy()) == ids


def test_to_list_holds_the_windows(agents):
    assert agents.to_list() == list(agents)


def test_position_past_the_end_is_an_index_error(agents):
    with pytest.raises(IndexError, match=str(POPULATION)):
        agents[POPULATION]


# --- Windows --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [column.name for column in COLUMNS])
def test_windows_equal_columns(name, model):
    assert [getattr(one, name) for one in model.agents] == in_words(model, name)


def test_windows_hold_python_values(model):
    someone = model.agents[0]
    assert {type(getattr(someone, name)) for name in DECLARED} <= {int, float, str, type(None)}


def test_windows_follow_their_columns():
    model = new_model()
    residents = list(model.agents)
    for _ in range(BRIEFLY):
        model.step()
    now = dict(zip(in_words(model, "resident"), in_words(model, "state"), strict=True))
    alive = [one for one in residents if one.unique_id in now]
    assert [one.state for one in alive] == [now[one.unique_id] for one in alive]


def test_windows_tell_completed_years(model):
    branch = model.branch()
    branch.step()
    assert branch.agents.get("age_years") == [
        (branch.month - born) // MONTHS_PER_YEAR for born in in_words(branch, "birth_month")
    ]


@pytest.mark.parametrize("layer", LAYER_NAMES)
def test_neighbours_hold_each_other(layer, agents):
    assert all(one in other.neighbours(layer) for one in agents for other in one.neighbours(layer))


def test_windows_on_one_resident_are_equal(model):
    assert Resident(model, row_of(model, 3)) == Resident(model, row_of(model, 3))


def test_windows_on_one_resident_are_one_key(model):
    assert len({Resident(model, row_of(model, 3)), Resident(model, row_of(model, 3))}) == 1


def test_windows_on_two_residents_differ(model):
    assert Resident(model, row_of(model, 3)) != Resident(model, row_of(model, 4))


def test_windows_are_mesas_agents(model):
    assert isinstance(Resident(model, row_of(model, 3)), mesa.Agent)


def test_windows_do_not_register(model):
    Resident(model, row_of(model, 3))
    registered = mesa.Model.agents.fget(model)
    assert (len(registered), len(model.agents)) == (0, POPULATION)


def test_every_method_of_mesas_agent_is_stated_anew_or_listed():
    does_nothing = {"step", "advance"}
    reads_the_model = {"random", "rng", "scenario"}
    public = {name for name in dir(mesa.Agent) if not name.startswith("_")}
    assert public - vars(Resident).keys() <= does_nothing | reads_the_model


@pytest.mark.parametrize("name", ["state", "stte", "pos", "model", "_row"])
def test_setting_an_attribute_of_a_window_is_an_error(name, agents):
    with pytest.raises(AttributeError, match=f"'{name}'"):
        setattr(agents[0], name, None)


@pytest.mark.parametrize("name", ["state", "model"])
def test_deleting_an_attribute_of_a_window_is_an_error(name, agents):
    with pytest.raises(AttributeError, match=f"'{name}'"):
        delattr(agents[0], name)


def test_a_misspelt_attribute_of_a_window_is_an_error(agents):
    with pytest.raises(AttributeError, match=r"'stte'.*state"):
        _ = agents[0].stte


def test_windows_refuse_to_be_pickled(agents):
    with pytest.raises(TypeError, match="Resident is a window on a model and cannot be pickled"):
        pickle.dumps(agents[0])


@pytest.mark.parametrize("name", ["remove", "create_agents", "from_dataframe"])
def test_windows_refuse_by_name(name, agents):
    with pytest.raises(NotImplementedError, match=rf"Resident\.{name}"):
        getattr(agents[0], name)()


@pytest.mark.parametrize("name", ["register_agent", "deregister_agent"])
def test_model_refuses_a_single_agent_by_name(name, model):
    with pytest.raises(NotImplementedError, match=rf"CommunityModel\.{name}"):
        getattr(model, name)(model.agents[0])


def test_model_refuses_to_remove_all_agents(model):
    with pytest.raises(NotImplementedError, match=r"CommunityModel\.remove_all_agents"):
        model.remove_all_agents()


def test_model_refuses_other_agents(model):
    with pytest.raises(AttributeError, match="agents"):
        model.agents = []


# --- Coming and going -----------------------------------------------------------------------


class Newborn(NamedTuple):
    """A newborn in the month of birth: the window, and what it said then."""

    window: Resident
    state: str | None
    kin: list[Resident]
    is_listed: bool


class Life(NamedTuple):
    """A town, what was taken of it at its start, and who was born since."""

    model: CommunityModel
    founders: list[Resident]
    everyone: ResidentSet
    newborns: list[Newborn]

    @property
    def gone(self):
        """Windows of founders who died."""
        alive = set(in_words(self.model, "resident"))
        return [one for one in self.founders if one.unique_id not in alive]


def born_this_month(model):
    people, agents = model.population, model.agents
    rows = np.flatnonzero(people.is_present & (people.birth_month == model.month))
    windows = [Resident(model, row) for row in rows]
    return [Newborn(one, one.state, one.neighbours("kin"), one in agents) for one in windows]


@pytest.fixture(scope="module")
def life():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "ROOM", LITTLE_ROOM)
        # Nobody moves, so that who is new was born and who is gone has died.
        model = new_model(population=TOWN, years=TOWN_MONTHS // MONTHS_PER_YEAR, parameters={"migration_rate": 0.0})
    founders, everyone, newborns = list(model.agents), model.agents, []
    while model.running:
        model.step()
        newborns += born_this_month(model)
    return Life(model, founders, everyone, newborns)


def test_a_town_holds_births_and_deaths(life):
    assert life.gone
    assert life.newborns


def test_agents_are_founders_and_newborns_but_the_dead(life):
    born = [one.window for one in life.newborns]
    assert set(life.model.agents) == (set(life.founders) | set(born)) - set(life.gone) - {
        one for one in born if not one.is_here
    }


@pytest.mark.parametrize("name", DECLARED)
def test_set_reads_columns_among_vacant_rows(name, life):
    assert life.model.agents.get(name) == in_words(life.model, name)


def test_windows_of_the_living_say_that_they_are_here(life):
    assert all(one.is_here for one in set(life.founders) - set(life.gone))


def test_windows_of_the_dead_say_that_they_are_gone(life):
    assert not any(one.is_here for one in life.gone)


@pytest.mark.parametrize("name", [*DECLARED, "row", "age_years"])
def test_reading_the_dead_names_them(name, life):
    for one in life.gone:
        with pytest.raises(LookupError, match=f"resident {one.unique_id} no longer lives"):
            getattr(one, name)


def test_the_dead_have_no_neighbours_to_list(life):
    with pytest.raises(LookupError, match="no longer lives in the place"):
        life.gone[0].neighbours("kin")


def test_the_dead_have_nothing_to_explain(life):
    with pytest.raises(LookupError, match="no longer lives in the place"):
        life.gone[0].explain()


def test_the_dead_can_be_shown(life):
    one = life.gone[0]
    assert repr(one) == f"<Resident {one.unique_id}: no longer here>"


def test_the_dead_are_not_among_the_agents(life):
    assert life.model.agents.isdisjoint(life.gone)


def test_nobody_is_tied_to_the_dead(life):
    present = life.model.population.is_present
    for layer in LAYER_NAMES:
        assert present[np.concatenate(life.model.network.edges(layer))].all()


def test_a_set_taken_before_shrinks_as_its_members_die(life):
    dead = set(life.gone)
    assert list(life.everyone) == [one for one in life.founders if one not in dead]


def test_a_set_taken_before_answers_for_the_living(life):
    assert life.everyone.get("unique_id") == ids_of(life.everyone)
    assert len(life.everyone) == TOWN - len(life.gone)


def test_groups_taken_before_shrink_as_their_members_die(life):
    groups = life.everyone.groupby("sex")
    assert sum(groups.count().values()) == len(life.everyone)


def test_newborns_appear_among_the_agents(life):
    assert all(one.is_listed for one in life.newborns)


def test_newborns_have_no_state(life):
    assert {one.state for one in life.newborns} == {None}


def test_newborns_have_kin(life):
    assert all(one.kin for one in life.newborns)


def test_kin_of_newborns_are_tied_back(life):
    for one in life.newborns:
        if one.window.is_here:
            others = one.window.neighbours("kin")
            assert all(one.window in other.neighbours("kin") for other in others)


@pytest.fixture
def reused(life):
    """The dead whose rows have somebody else, each with whoever sits there now."""
    sitting = {one.row: one for one in life.model.agents}
    pairs = [(one, sitting[one._row]) for one in life.gone if one._row in sitting]
    assert pairs
    return pairs


def test_a_row_used_again_belongs_to_a_newborn(reused, life):
    born = {one.window for one in life.newborns}
    assert {newcomer for _, newcomer in reused} <= born


def test_the_dead_are_gone_from_a_row_used_again(reused):
    assert not any(one.is_here for one, _ in reused)


def test_the_dead_differ_from_whoever_has_their_row(reused):
    assert not any(one == newcomer for one, newcomer in reused)


def test_a_set_taken_before_does_not_take_in_newcomers(reused, life):
    assert life.everyone.isdisjoint([newcomer for _, newcomer in reused])


def test_a_vacant_row_has_no_window(life):
    vacant = np.flatnonzero(~life.model.population.is_present)[0]
    with pytest.raises(LookupError, match=f"nobody lives in row {vacant}"):
        Resident(life.model, vacant)


# --- Mesa's collector -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def collected():
    """Collect before and after a month; hand over the columns as they were both times."""
    model = new_model()
    collector = mesa.DataCollector(
        model_reporters={"residents": lambda model: len(model.agents), "month": "month"},
        agent_reporters={"state": "state", "twice": lambda one: 2 * one.quintile},
        agenttype_reporters={Resident: {"band": "age_band", "age": lambda one: one.age_years}},
    )
    collector.collect(model)
    columns = [{name: in_words(model, name) for name in DECLARED}]
    model.step()
    collector.collect(model)
    columns.append({name: in_words(model, name) for name in DECLARED})
    return collector, columns


def test_collector_reports_the_model(collected):
    reported = collected[0].get_model_vars_dataframe().to_dict("list")
    residents = [len(columns["resident"]) for columns in collected[1]]
    assert reported == {"residents": residents, "month": [0, 1]}


def test_collector_reports_residents_by_id(collected):
    collector, columns = collected
    reported = collector.get_agent_vars_dataframe().index.get_level_values("AgentID")
    assert reported.tolist() == columns[0]["resident"] + columns[1]["resident"]


def test_collector_reports_an_attribute(collected):
    collector, columns = collected
    # Some versions of pandas make None a missing number.
    reported = collector.get_agent_vars_dataframe()["state"].fillna("none").tolist()
    assert reported == [state or "none" for state in columns[0]["state"] + columns[1]["state"]]


def test_collector_reports_a_function(collected):
    collector, columns = collected
    quintiles = columns[0]["quintile"] + columns[1]["quintile"]
    reported = collector.get_agent_vars_dataframe()["twice"].tolist()
    assert reported == [2 * quintile for quintile in quintiles]


def test_collector_reports_an_attribute_by_type(collected):
    collector, columns = collected
    reported = collector.get_agenttype_vars_dataframe(Resident)["band"].tolist()
    assert reported == columns[0]["age_band"] + columns[1]["age_band"]


def test_collector_reports_a_function_by_type(collected):
    collector, columns = collected
    reported = collector.get_agenttype_vars_dataframe(Resident)["age"].tolist()
    assert reported == [(month - born) // MONTHS_PER_YEAR for month in (0, 1) for born in columns[month]["birth_month"]]


# --- Several models in one process ----------------------------------------------------------


def test_stepping_a_model_leaves_another_untouched():
    one, other = new_model(), new_model()
    before = copied_columns(other)
    for _ in range(BRIEFLY):
        one.step()
    assert copied_columns(other) == before


def test_stepping_a_branch_leaves_its_origin_untouched():
    origin = new_model()
    branch, before = origin.branch(), copied_columns(origin)
    for _ in range(BRIEFLY):
        branch.step()
    assert copied_columns(origin) == before


def test_stepping_a_model_changes_its_own_columns():
    model = new_model()
    before = copied_columns(model)
    for _ in range(BRIEFLY):
        model.step()
    assert copied_columns(model) != before


def test_a_window_is_not_among_the_agents_of_a_twin(agents):
    assert agents[0] not in new_model().agents


def test_a_window_differs_from_its_twin(agents):
    assert agents[0] != new_model().agents[0]


# --- Explanations ---------------------------------------------------------------------------


def test_log_hazard_gives_the_personal_factors(variant, explained):
    exponent = variant.parameters.recovery_exponent
    for _, found in explained:
        terms = found["log_hazard"]
        summed = sum(value for name, value in terms.items() if name != "cap")
        capped = min(max(summed, -terms["cap"]), terms["cap"])
        factors = found["worsen"]["personal_factor"], found["improve"]["personal_factor"]
        by_hand = math.exp(capped), math.exp(-exponent * capped)
        assert factors == pytest.approx(by_hand, rel=SINGLE_PRECISION)


def test_the_cap_is_met():
    model = new_model(**VARIANTS["wide frailty, low cap"])
    highest = math.exp(model.parameters.log_hazard_cap)
    assert model.agents.agg("worsen_risk", max) == pytest.approx(highest, rel=SINGLE_PRECISION)


def assert_contacts_are_neighbours(model, weights):
    for one in model.agents.select(lambda one: one.state is not None):
        content = discontent = 0.0
        for layer, weight in zip(LAYER_NAMES, weights, strict=True):
            states = [other.state for other in one.neighbours(layer)]
            content += weight * states.count("thriving")
            discontent += weight * (states.count("struggling") + states.count("in_crisis"))
        by_hand = {"content": content, "discontent": discontent}
        assert one.explain()["contacts"] == pytest.approx(by_hand)


def test_contacts_are_neighbours_in_a_mood(variant):
    parameters = variant.parameters
    weights = wellbeing.contact_weights(variant.population, variant.network, parameters)
    branch = variant.branch()
    for _ in range(BRIEFLY):
        branch.step()
    assert_contacts_are_neighbours(branch, weights)


def test_contacts_give_contagion(variant, explained):
    structure, parameters = variant.config.structure, variant.parameters
    spreads = structure.variant != "no_contagion"
    moved_by_all = structure.contagion_from == "all"
    for one, found in explained:
        touched = spreads and (moved_by_all or one.state == "coping")
        down = touched and one.state != "in_crisis"
        up = touched and one.state != "thriving"
        contagion = found["worsen"]["contagion"], found["improve"]["contagion"]
        by_hand = (
            down * parameters.contagion_discontent * found["contacts"]["discontent"],
            up * parameters.contagion_content * found["contacts"]["content"],
        )
        assert contagion == pytest.approx(by_hand)


@pytest.mark.parametrize("way", ["worsen", "improve"])
def test_terms_give_the_rate_per_year(way, explained):
    for _, found in explained:
        terms = found[way]
        spontaneous = terms["base"] * terms["personal_factor"]
        by_hand = terms["hazard_ratio"] * (spontaneous + terms["contagion"])
        assert terms["per_year"] == pytest.approx(by_hand)


@pytest.mark.parametrize("way", ["worsen", "improve"])
def test_hazard_ratios_are_the_levers(way, variant, explained):
    lever = getattr(variant.config.levers, f"{way}_hazard_ratio")
    assert {found[way]["hazard_ratio"] for _, found in explained} == {lever}


def test_jumps_are_made_where_they_are_allowed(variant, explained):
    parameters, allowed = variant.parameters, variant.config.structure.direct_jumps
    for one, found in explained:
        sinks = allowed and one.state == "thriving"
        rises = allowed and one.state in ("struggling", "in_crisis")
        worsen, improve = found["worsen"], found["improve"]
        jumps = found["jump_down"]["per_year"], found["jump_up"]["per_year"]
        by_hand = (
            sinks * worsen["hazard_ratio"] * parameters.jump_down * worsen["personal_factor"],
            rises * improve["hazard_ratio"] * parameters.jump_up * improve["personal_factor"],
        )
        assert jumps == pytest.approx(by_hand)


def test_rates_give_the_chances_of_a_month(explained):
    for _, found in explained:
        down = found["worsen"]["per_year"] + found["jump_down"]["per_year"]
        up = found["improve"]["per_year"] + found["jump_up"]["per_year"]
        moved = 1.0 - math.exp(-(down + up) / MONTHS_PER_YEAR)
        by_hand = moved * down / (down + up), moved * up / (down + up)
        assert (found["p_worse"], found["p_better"]) == pytest.approx(by_hand)


def test_contacts_are_neighbours_in_a_mood_after_births_and_deaths(life):
    assert_contacts_are_neighbours(life.model, life.model.contact_weights)


def test_children_have_nothing_to_explain(model):
    children = model.agents.select(lambda one: one.age_band == "0-15")
    assert children.map("explain") == [{}] * len(children)


def chances(model):
    """Return the chance of worse and of better next month by row, 0 but for adults."""
    worse, better = np.zeros((2, model.population.n_rows))
    for one in model.agents:
        found = one.explain()
        worse[one.row], better[one.row] = found.get("p_worse", 0.0), found.get("p_better", 0.0)
    return worse, better


def expected_moves(uniforms, worse, better):
    """Return 1 for whom a draw makes worse, -1 better, 0 neither."""
    return np.where(uniforms < worse, 1, np.where(uniforms > 1.0 - better, -1, 0))


def directions_of_step(model):
    """Live a month among the same people; return 1 for whom it made worse, -1 better, 0 neither."""
    before = model.population.state.copy()
    model.step()
    return np.sign(model.population.state - before)


def test_explanations_tell_who_moves(variant):
    branch = variant.branch()
    for month in range(1, BRIEFLY + 1):
        uniforms = branch.draws.uniforms(Purpose.MOVE, month, branch.population.resident)
        expected = expected_moves(uniforms, *chances(branch))
        assert directions_of_step(branch).tolist() == expected.tolist()


def test_explanations_tell_who_moves_among_ties_as_they_stand(life):
    model, month = life.model, life.model.month + 1
    uniforms = model.draws.uniforms(Purpose.MOVE, month, model.population.resident)
    moves = wellbeing.moves_under(uniforms, model.population, model.network, model.contact_weights, model.rates)
    directions = np.zeros(model.population.n_rows, np.int8)
    directions[moves.rows] = np.sign(moves.after - moves.before)
    assert directions.any()
    assert directions.tolist() == expected_moves(uniforms, *chances(model)).tolist()


def test_months_hold_moves_both_ways(variant):
    branch = variant.branch()
    directions = np.concatenate([directions_of_step(branch) for _ in range(BRIEFLY)])
    assert set(directions.tolist()) == {-1, 0, 1}


@pytest.mark.parametrize("beyond", [False, True], ids=["at the chance", "just beyond"])
@pytest.mark.parametrize("way", [1, -1], ids=["worse", "better"])
def test_the_month_decides_by_the_chances_to_the_bit(way, beyond, variant, monkeypatch):
    branch = variant.branch()
    worse, better = chances(branch)
    chance, threshold = (worse, worse) if way > 0 else (better, 1.0 - better)
    if beyond:
        threshold = np.nextafter(threshold, 0.0 if way > 0 else 1.0)
    rigged = np.where(chance > 0.0, threshold, DRAW_THAT_STAYS)
    drawn = Draws.uniforms

    def uniforms(draws, purpose, *address, **lane):
        return rigged if purpose is Purpose.MOVE else drawn(draws, purpose, *address, **lane)

    monkeypatch.setattr(Draws, "uniforms", uniforms)
    expected = np.where(beyond & (chance > 0.0), way, 0)
    assert directions_of_step(branch).tolist() == expected.tolist()


def test_an_unknown_layer_is_told_those_there_are():
    model = CommunityModel(load_scenario().model_copy(update={"population": 500, "burn_in_years": 0}), rng=1)
    with pytest.raises(KeyError, match=r"layer 'work' is none of .*kin"):
        next(iter(model.agents)).neighbours("work")
