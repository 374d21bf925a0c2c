"""At the ends of what each parameter can be, and of its plausible range, a scenario is refused at first, or runs."""

from collections.abc import Iterator

import pytest

from model import CommunityModel, load_scenario
from model.core.errors import InputError
from model.inputs.parameters import LIMITS, PARTS_OF_ONE, load_parameters
from model.simulation.prepared import prepare

TINY = load_scenario("shift_siloed").model_copy(
    update={"place": "sandbeck", "population": 150, "years": 1, "burn_in_years": 0}
)


def ends() -> Iterator[tuple[str, float]]:
    for name, one in load_parameters().entries.items():
        for value in dict.fromkeys((*LIMITS[one.unit], one.low, one.high)):
            yield name, value


@pytest.mark.slow
def test_every_end_is_refused_at_first_or_lives_a_year() -> None:
    refused = set()
    for name, value in ends():
        is_limit = value in LIMITS[load_parameters().entries[name].unit]  # ends of ranges lie between limits
        try:
            config = TINY.model_copy(update={"parameters": {name: value}})
            model = CommunityModel(config, rng=1) if is_limit else prepare(config)
        except InputError as error:
            assert "parameters." in str(error)
            refused.add((name, value))
            continue
        if isinstance(model, CommunityModel):
            for _ in range(12):
                model.step()
            assert model.population.is_present.any()

    assert ("gp_rate", 0.0) in refused
    of_sums = {name for names in PARTS_OF_ONE for name in names}
    plausible = {(one.name, value) for one in load_parameters().entries.values() for value in (one.low, one.high)}
    assert {name for name, _ in refused & plausible} <= of_sums


@pytest.mark.parametrize("years", [0.1, 0.4, 1.0])
def test_budgets_remember_a_year_at_least(years: float) -> None:
    config = TINY.model_copy(update={"parameters": {"budget_memory_years": years}})
    one, other = (
        CommunityModel(each, rng=1)
        for each in (config, TINY.model_copy(update={"parameters": {"budget_memory_years": 1.0}}))
    )
    for model in (one, other):
        for _ in range(12):
            model.step()
    assert one.recorder.tables(0)["budgets"].equals(other.recorder.tables(0)["budgets"])
