"""Provenance in a results folder: everything that was run, and everything that reading it needs.

The manifest records, for each entry of a plan, the grade of evidence, the share of its money that
builds social infrastructure and who pays; for each service its name, who pays, the cashable share of a
saving and the size of a whole step; every parameter; and the text of each file that a scenario uses and
of the user's own code.
"""

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from model import __version__
from model.campaign.settled_places import made_by
from model.campaign.stages import Stage
from model.core.files import DATA, PACKAGE, TextFile, sha256_of
from model.core.own_code import LOADED
from model.inputs.catalogue import load_services
from model.inputs.payers import Payment, load_payments
from model.inputs.plans import Entry, PlannedSpending, spending_of, terms_of
from model.inputs.programmes import BuildInfrastructure
from model.inputs.scenario import Scenario
from model.inputs.stays import units_each
from model.tables.manifest import FORMAT

HASH_SHOWN = 12

LIBRARIES = ("mesa", "numpy", "numba", "scipy", "pandas", "pyarrow", "networkx")


def manifest_of(
    scenarios: Sequence[Scenario],
    n_runs: int,
    comparators: Mapping[str, str],
    command: Sequence[str] | None,
    designs: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Describe a campaign before it is run.

    Parameters
    ----------
    scenarios : sequence of Scenario
        All of the campaign, with the comparators.
    n_runs : int
        Runs in all.
    comparators : mapping of str to str
        By the name of a scenario, that of the one it is compared with.
    command : sequence of str, optional
        The words of the command that was given; none from Python.
    designs : mapping of str to mapping
        By the name of a scenario, what it was made from: its base, and the value of each lever that is varied.
    """
    return {
        "format": FORMAT,
        "upstream": __version__,
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libraries": {name: version(name) for name in LIBRARIES},
        "code": code_hash(),
        "made_by": made_by(),
        "own_code": told_own_code(),
        "data": {path.name: sha256_of(path) for path in sorted(DATA.iterdir()) if path.is_file()},
        "n_runs": n_runs,
        "comparators": dict(comparators),
        "tests": {},
        "scenarios": {config.name: _facts(config, designs.get(config.name, {})) for config in scenarios},
        "files": _files(scenarios),
    }


def with_tests(
    manifest: Mapping[str, Any], tests: Mapping[str, Scenario], stages: Sequence[Stage], n_runs: int
) -> dict[str, Any]:
    """Return a manifest with the tests of its scenarios, by the names of these; their files are those it has.

    Parameters
    ----------
    manifest : mapping
        As `manifest_of` gives it.
    tests : mapping of str to Scenario
        By the name of the scenario that each tests.
    stages : sequence of Stage
        All that was asked for, with the tests.
    n_runs : int
        Runs in all, with those of the tests.
    """
    scenarios = {**manifest["scenarios"], **{config.name: _facts(config, {}) for config in tests.values()}}
    names = {name: config.name for name, config in tests.items()}
    return {
        **manifest,
        "n_runs": n_runs,
        "stages": [stage.told() for stage in stages],
        "tests": names,
        "scenarios": scenarios,
    }


def told_own_code() -> list[str]:
    """Return the hash of each file of a user's own code, as a manifest has them."""
    return [file.sha256 for file in LOADED.values()]


def changes_since(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what decides a run and is another than when a campaign began, in words.

    Examples
    --------
    >>> then = {"made_by": {**made_by(), "libraries/numpy": "1.0"}, "own_code": []}
    >>> [words.split(" (")[0] for words in changes_since(then)]
    ['libraries/numpy']
    """
    then = {**manifest["made_by"], **dict.fromkeys(manifest["own_code"], "own code")}
    now = {**made_by(), **dict.fromkeys(told_own_code(), "own code")}
    for name in {**then, **now}:
        before, after = (side.get(name, "none")[:HASH_SHOWN] for side in (then, now))
        if before != after:
            yield f"{name} ({before}, now {after})"


def code_hash(package: Path = PACKAGE) -> str:
    """Return a hash over every source file of the package, by its place and content.

    Examples
    --------
    >>> len(code_hash())
    64
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _facts(config: Scenario, design: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a scenario sets, what is in force in it, and which files it uses, by their hash."""
    place, inputs = config.place_profile, config.inputs
    return {
        **config.model_dump(mode="json"),
        "design": dict(design),
        "plan": [
            {**entry.model_dump(mode="json"), "budget_gbp_per_year": config.budget_gbp_per_year(entry)}
            for entry in config.plan
        ],
        "real_population": place.population,
        "place_name": place.name,
        "place_kind": place.kind,
        "place_year": place.year,
        "parameters_in_force": dict(config.parameter_values),
        "services_in_force": {name: _service(name, config) for name in load_services() if name in config.services},
        "plan_in_force": _plan(config),
        "scenario_files": [file.sha256 for file in inputs.scenario],
        "place_file": inputs.places[config.place].file.sha256,
    }


def _service(name: str, config: Scenario) -> dict[str, Any]:
    priced, place = load_payments().services[name], config.place_profile
    return {
        "label": load_services()[name].label,
        **_payment(priced.payment),
        "step_units": priced.step_units,
        "units_each": units_each(name, place, config.parameter_values),
    }


def _plan(config: Scenario) -> list[dict[str, Any]]:
    """Say what each entry of a plan is; more of a service has no grade and no file."""
    entries = spending_of(config)
    share_built = terms_of(entries).share_built
    return [
        {
            "label": entry.name,
            "grade": entry.programme.grade if isinstance(entry, Entry) else None,
            "building_share": float(share_built[entry.number]),
            "building_numbers": _building_numbers(entry),
            "enrols_until": entry.enrols_until if isinstance(entry, Entry) else None,
            **_payment(entry.terms.payment),
            "programme_file": _programme_file(entry, config),
        }
        for entry in entries
    ]


def _building_numbers(entry: PlannedSpending) -> dict[str, float]:
    """Return the numbers that make up its share spent on places to meet, by the names under which they are drawn."""
    if not isinstance(entry, Entry) or entry.terms.at_no_effect:
        return {}
    return {
        f"programmes.{entry.programme.name}.effects.{k}.share_of_spend": effect.share_of_spend.value
        for k, effect in enumerate(entry.programme.effects)
        if isinstance(effect, BuildInfrastructure)
    }


def _programme_file(entry: PlannedSpending, config: Scenario) -> str | None:
    name = entry.terms.programme
    return None if name is None else config.inputs.programmes[name].file.sha256


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "payers": dict(payment.payers),
        "beneficiary": payment.beneficiary,
        "cashable": payment.cashable,
        "cashable_range": payment.cashable_range,
    }


def _files(scenarios: Sequence[Scenario]) -> dict[str, dict[str, str]]:
    """Return the texts of all files, each once, by their hash."""
    own_code = [("code", file) for file in LOADED.values()]
    used = chain(own_code, *(_files_of(config) for config in scenarios))
    return {file.sha256: {"name": file.path.name, "kind": kind, "text": file.text} for kind, file in used}


def _files_of(config: Scenario) -> Iterator[tuple[str, TextFile]]:
    yield from (("scenario", file) for file in config.inputs.scenario)
    yield from (("place", read.file) for read in config.inputs.places.values())
    yield from (("programme", read.file) for read in config.inputs.programmes.values())
