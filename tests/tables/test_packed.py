"""The facts of many scenarios are kept in little room, and read as they were."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from model import load_scenario
from model.campaign.provenance import manifest_of
from model.tables.manifest import MANIFEST, read_manifest, write_manifest
from model.tables.packed import differences, packed, unpacked

KEYS = st.text("ab/1", min_size=1, max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
LARGEST_BYTES = 200_000


@given(st.dictionaries(st.text("abc", min_size=1), st.dictionaries(KEYS, VALUES, min_size=1), max_size=5))
def test_what_was_packed_is_unpacked(scenarios):
    found = unpacked(packed(scenarios))

    assert repr(found) == repr(scenarios)


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value):
    assert not list(differences(value, value))


def test_kinds_of_number_differ():
    assert list(differences([1, 1.0, True], [1.0, 1.0, 1])) == [("0", 1.0), ("2", 1)]


def budgets_of(name: str, k: int) -> list[dict[str, object]]:
    plan = load_scenario(name).model_dump(mode="json")["plan"]
    return [{**entry, "budget_gbp_per_year": entry["budget_gbp_per_year"] * (1 + k / 100)} for entry in plan]


@pytest.mark.slow
def test_a_manifest_of_300_scenarios_is_small(tmp_path: Path) -> None:
    base, place = load_scenario("people_powered_shift"), load_scenario("status_quo")
    helped = [
        base.model_copy(update={"name": f"people_powered_shift-{k}", "plan": budgets_of("people_powered_shift", k)})
        for k in range(290)
    ]
    others = [place.model_copy(update={"name": f"status_quo-{k}", "years": 20 + k}) for k in range(10)]
    comparators = {config.name: "status_quo-9" for config in helped}
    designs = {one.name: {"base": base.name, "plan.0.budget_gbp_per_year": k} for k, one in enumerate(helped)}
    manifest = manifest_of([*helped, *others], 600, comparators, None, designs)
    manifest |= {
        "tables": {},
        "stages": [{"replicates": {}, "draws": 0, "draw_replicates": 1}],
        "lives": False,
        "test": False,
    }
    write_manifest(tmp_path, {**manifest, "status": "finished"})

    assert (tmp_path / MANIFEST).stat().st_size < LARGEST_BYTES
    read = read_manifest(tmp_path)
    assert [read["scenarios"][one.name]["plan"] for one in helped] == [
        manifest["scenarios"][one.name]["plan"] for one in helped
    ]
    assert read["scenarios"]["people_powered_shift-7"]["design"]["plan.0.budget_gbp_per_year"] == 7
