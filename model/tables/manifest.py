"""What a results folder says of itself: what was run, by which version, in which format."""

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.core.constants import MOST_REPLICATES, MOST_RESIDENTS, MOST_RUNS, MOST_YEARS
from model.core.errors import ResultsError, printable
from model.core.files import NAME, NAME_IN_WORDS, read_bounded, replace_text, validation_problem
from model.tables.packed import packed, unpacked
from model.tables.schema import TABLES
from model.tables.store import damaged

MANIFEST = "manifest.json"

FORMAT = 3
"""Of results folders: one number higher whenever readers of the one before would go wrong."""

ONE_CONTACT = 1.0
"""Units of an event, in results of versions that did not write them down."""

LARGEST_BYTES = 1_000_000_000
"""Of a manifest, far above any: each scenario of a study takes some 1,500."""

_SEAL = r',\n "sha256": "[0-9a-f]{64}"\n\}\n\Z'


class _Table(BaseModel):
    """Part of a manifest: what its readers need, of the kind they need; there may be more."""

    model_config = ConfigDict(strict=True, extra="allow")


class _Paid(_Table):
    label: str
    payers: dict[str, float]
    beneficiary: str
    cashable: float
    cashable_range: Annotated[tuple[float, float], Field(strict=False)]


class _Service(_Paid):
    step_units: float
    units_each: float = ONE_CONTACT


class _Entry(_Paid):
    grade: int | None
    building_share: float
    programme_file: str | None


class _Spending(_Table):
    budget_gbp_per_year: float
    at_no_effect: bool


class _Shock(_Table):
    kind: str
    start_month: int


class _Capacity(_Table):
    rule: str


class _Structure(_Table):
    variant: str
    demography: bool


class _Budgets(_Table):
    regime: str
    contract: dict[str, Any] | None


class _Growth(_Table):
    unit_costs: dict[str, list[float]]


class _Scenario(_Table):
    name: str
    design: dict[str, Any]
    title: str
    question: str
    place: str
    population: Annotated[int, Field(gt=0, le=MOST_RESIDENTS)]
    years: Annotated[int, Field(gt=0, le=MOST_YEARS)]
    burn_in_years: Annotated[int, Field(ge=0, le=MOST_YEARS)]
    replicates: Annotated[int, Field(ge=0, le=MOST_REPLICATES)]
    seed: int
    services: list[str]
    capacity: dict[str, _Capacity]
    structure: _Structure
    levers: dict[str, float]
    shocks: list[_Shock]
    plan: list[_Spending]
    budgets: _Budgets
    growth: _Growth
    parameters: dict[str, float]
    real_population: int
    place_name: str
    place_kind: str
    place_year: int
    parameters_in_force: dict[str, float]
    services_in_force: dict[str, _Service]
    plan_in_force: list[_Entry]


class _Stage(_Table):
    model_config = ConfigDict(strict=True, extra="forbid")

    replicates: dict[str, Annotated[int, Field(ge=0, le=MOST_REPLICATES)]]
    draws: Annotated[int, Field(ge=0, le=MOST_RUNS)]
    draw_replicates: Annotated[int, Field(ge=0, le=MOST_RUNS)]
    draws_together: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 1

    @property
    def n_most(self) -> int:
        """As many runs as there are in it, or more."""
        return sum(self.replicates.values()) + self.draws * self.draw_replicates * len(self.replicates)


class _Text(_Table):
    name: str
    text: str


class _Continued(_Table):
    changed: list[str]


class _Manifest(_Table):
    upstream: str
    status: Literal["running", "interrupted", "failed", "finished"]
    started: str
    command: list[str] | None
    n_runs: Annotated[int, Field(ge=0, le=MOST_RUNS)]
    comparators: dict[str, str]
    tests: dict[str, str]
    tables: dict[Literal[tuple(TABLES)], str]  # type: ignore[valid-type]
    stages: Annotated[list[_Stage], Field(min_length=1)]
    made_by: dict[str, str]
    own_code: list[str]
    files: dict[str, _Text]
    lives: bool
    test: bool
    shard: str | None = None
    continued: list[_Continued] = []
    scenarios: Annotated[dict[str, _Scenario], Field(min_length=1)]


_SCHEMAS = (_Manifest, _Stage, _Scenario, _Service, _Entry, _Spending, _Shock, _Capacity, _Structure, _Budgets, _Growth)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what a campaign is and how it stands, all at once.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    kept = {**manifest, "scenarios": packed(manifest["scenarios"])}
    text = json.dumps(kept, indent=1, separators=(",", ":"), ensure_ascii=False)
    replace_text(folder / MANIFEST, sealed(text), ResultsError)


def sealed(text: str) -> str:
    """Return a table of JSON with one more key at its end: the checksum of all before it.

    Examples
    --------
    >>> print(sealed('{"format": 3}')[:26])
    {"format": 3,
     "sha256": "
    """
    body = text.rstrip().removesuffix("}").rstrip()
    return f'{body},\n "sha256": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


def _require_seal(text: str, path: Path) -> None:
    if text != sealed(re.sub(_SEAL, "}", text)):
        raise damaged(path)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a campaign is and how it stands.

    Raises
    ------
    ResultsError
        When the folder holds no campaign, one in another format, or a manifest that lacks something.
    """
    path = folder / MANIFEST
    try:
        if not path.exists():
            raise _holds_none(folder)
        text = read_bounded(path, LARGEST_BYTES, ResultsError).text
        if re.search(_SEAL, text):
            _require_seal(text, path)
        manifest = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"cannot be read ({error})", file=path) from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ResultsError("is not the manifest of a study", file=path, allowed="a folder that upstream run made")
    if type(manifest["format"]) is not int:
        problem = "is not the number of a format"
        raise ResultsError(problem, file=path, key="format", value=manifest["format"], allowed=str(FORMAT))
    if manifest["format"] != FORMAT:
        raise _of_another_version(manifest, path)
    _require_seal(text, path)
    del manifest["sha256"]
    if "scenarios" in manifest:
        manifest["scenarios"] = _unpacked(manifest["scenarios"], path)
    try:
        read = _Manifest.model_validate(manifest)
    except ValidationError as error:
        raise validation_problem(error, ResultsError, path, _SCHEMAS) from None
    _require_scenarios(read, path)
    services = (one["services_in_force"].values() for one in manifest["scenarios"].values())
    for service in chain.from_iterable(services):
        service.setdefault("units_each", ONE_CONTACT)
    return {**manifest, "scenarios": _shown(manifest["scenarios"])}


def _require_scenarios(manifest: _Manifest, path: Path) -> None:
    """Refuse a manifest that names a scenario which it lacks, or one whose name could not be a scenario's."""
    for k, stage in enumerate(manifest.stages):
        if (n := stage.n_most) > MOST_RUNS:
            problem, allowed = f"has {n:,} runs", f"up to {MOST_RUNS:,}"
            raise ResultsError(problem, file=path, key=f"stages.{k}", allowed=allowed)
    for name in manifest.scenarios:
        if not re.fullmatch(NAME, name):
            raise ResultsError(
                "is not the name of a scenario",
                file=path,
                key=f"scenarios.{name}",
                allowed=NAME_IN_WORDS,
            )
    for name, facts in manifest.scenarios.items():
        if len(facts.plan) != len(facts.plan_in_force):
            problem = f"has {len(facts.plan_in_force)} entries, where the plan has {len(facts.plan)}"
            raise ResultsError(problem, file=path, key=f"scenarios.{name}.plan_in_force")
    of_stages = (name for stage in manifest.stages for name in stage.replicates)
    in_pairs = (name for named in (manifest.comparators, manifest.tests) for pair in named.items() for name in pair)
    for name in chain(in_pairs, of_stages):
        if name not in manifest.scenarios:
            raise ResultsError("is missing, so these results cannot be read", file=path, key=f"scenarios.{name}")


def changes_accepted(manifest: Mapping[str, Any]) -> list[str]:
    """Return what had changed where a campaign was gone on with, so that not all of its runs are by the same code.

    Examples
    --------
    >>> changes_accepted({"continued": [{"changed": []}, {"changed": ["own code (none, now 219b9bb3)"]}]})
    ['own code (none, now 219b9bb3)']
    """
    return [*dict.fromkeys(words for entry in manifest.get("continued", []) for words in entry["changed"])]


def _unpacked(scenarios: Any, path: Path) -> Any:
    """Return the whole facts of scenarios; what cannot be them is left for the check that names it."""
    if not isinstance(scenarios, dict) or not all(isinstance(facts, dict) for facts in scenarios.values()):
        return scenarios
    try:
        return unpacked(scenarios)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise ResultsError("differs from a scenario that is not there", file=path, key="scenarios") from None


def _shown(value: Any) -> Any:
    """Return what is printed and drawn, without control characters: a title may hold any."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _holds_none(folder: Path) -> ResultsError:
    if folder.is_dir():
        return ResultsError("holds no results", file=folder, allowed=f"a folder with a {MANIFEST}")
    there = [path.parent.name for path in folder.parent.glob(f"*/{MANIFEST}")]
    wanted = f"{int(folder.name):03d}" if folder.name.isdecimal() else folder.name
    return ResultsError("no such folder", file=folder, known=there, wanted=wanted)


def _of_another_version(manifest: Mapping[str, Any], path: Path) -> ResultsError:
    theirs, ours = manifest.get("upstream", "of an unknown version"), version("upstream-abm")
    return ResultsError(
        f"written by upstream {theirs} in format {manifest['format']}, cannot be read by upstream {ours}, which "
        f"reads format {FORMAT}. Run the scenarios again, or read this folder with the version that wrote it",
        file=path,
    )
