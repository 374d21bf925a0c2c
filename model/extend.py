"""Mechanisms, services, parameters, columns and effects of one's own, without editing the package.

One Python file beside a study says what it adds, as an `Extension` by the name ``extension``.
``upstream run --with FILE`` or `load_extension` loads it; a campaign hands it to its workers.
Loading a file runs it: load your own files only. A scenario can never name one.
"""

import functools
import hashlib
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
from annotated_types import MinLen
from pydantic import BaseModel, ConfigDict, ValidationError

from model.core.arrays import Array
from model.core.errors import InputError
from model.core.files import TextFile, read_bounded
from model.core.own_code import LOADED, RUN, all_or_nothing, described, line_of, placed
from model.inputs.catalogue import Service, add_service
from model.inputs.parameters import Parameter, Source, add_parameters, read_parameters
from model.inputs.payers import Payment, Priced, add_priced
from model.inputs.programmes import Effect, Number, Ratio, Share, Term, add_effect, kind_of, terms_filled
from model.simulation.month import Step, add_step, all_steps
from model.simulation.simulation import Simulation
from model.simulation.steps.record import add_monthly
from model.state.population import Column, add_column
from model.tables.schema import Field

LARGEST_BYTES = 1_000_000

NUMBERS = ("rate", "ratio_struggling", "ratio_in_crisis", "unit_cost")
"""Parameters of every service, each after its name."""

SEQUENCE = ("is_instance_of", "sequence_str")
"""What pydantic calls a value that should be a list and is none."""

__all__ = [
    "Column",
    "Effect",
    "Extension",
    "Field",
    "MonthlyColumn",
    "Number",
    "OwnService",
    "OwnStep",
    "Parameter",
    "Payment",
    "Priced",
    "Ratio",
    "Service",
    "Share",
    "Simulation",
    "Source",
    "Step",
    "Term",
    "load_extension",
]


@dataclass(frozen=True)
class OwnStep:
    """A step, and the name of the one it stands before or after."""

    step: Step
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class OwnService:
    """A service, and what it costs and who pays; its rates are among the parameters."""

    service: Service
    priced: Priced


@dataclass(frozen=True)
class MonthlyColumn:
    """A column of the table ``monthly``, and what counts it: a value for each neighbourhood."""

    field: Field
    count: Callable[[Simulation], Array]


@dataclass(frozen=True)
class Extension:
    """What a file adds.

    Parameters
    ----------
    parameters : sequence of Parameter
        Numbers, each with unit, range and source; scenarios may set them.
    sources : sequence of Source
        Where the numbers were read.
    services : sequence of OwnService
        A scenario has them when it names them in ``services``.
    columns : sequence of Column
        Facts about residents; newcomers have 0.
    steps : sequence of OwnStep
        What happens in a month.
    monthly : sequence of MonthlyColumn
        What is written down of it.
    effects : sequence of type of Effect
        Kinds of effects that programme files may use; each fills terms that some step reads.
    """

    parameters: Sequence[Parameter] = ()
    sources: Sequence[Source] = ()
    services: Sequence[OwnService] = ()
    columns: Sequence[Column] = ()
    steps: Sequence[OwnStep] = ()
    monthly: Sequence[MonthlyColumn] = ()
    effects: Sequence[type[Effect]] = ()


class _Parts(BaseModel):
    """What an extension must be made of."""

    model_config = ConfigDict(arbitrary_types_allowed=True, revalidate_instances="always")

    extension: Extension


class _Fills(BaseModel):
    """What effects must fill: terms by name, one or more."""

    model_config = ConfigDict(revalidate_instances="always")

    fills: dict[str, Annotated[dict[str, Term], MinLen(1)]]


def load_extension(path: str | Path) -> Extension:
    """Load a file of one's own, before any scenario is read. It is read once; loading runs it.

    A file that cannot be loaded adds nothing.

    Raises
    ------
    InputError
        When the file cannot be read or run, adds something that is there already, puts a step at a
        place that does not exist, or has an effect that no step reads.
    """
    file = Path(path)
    return run_own_code(file.resolve(), read_bounded(file, LARGEST_BYTES, InputError))


def run_own_code(path: Path, code: TextFile) -> Extension:
    """Run code that was read already, in a worker say, and add what it adds.

    Parameters
    ----------
    path : Path
        Whole path of its file.
    code : TextFile
        The file as it was read.

    Raises
    ------
    InputError
        As `load_extension`.
    """
    if path in LOADED:
        if LOADED[path].sha256 != code.sha256:
            allowed = "what it was, or a new session of Python"
            raise InputError("has changed since it was loaded", file=code.path, allowed=allowed)
        return _loaded_from(path)
    module = types.ModuleType(_module_name(path))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look here; so do workers for the class of an effect
    RUN.add(path)
    try:
        _run(code, module)
        found = _extension_of(module, code)
        with all_or_nothing():
            _add(found, code.path)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    LOADED[path] = code
    return found


def _module_name(path: Path) -> str:
    return f"upstream_own_{path.stem.replace('.', '_')}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def _loaded_from(path: Path) -> Extension:
    found: Extension = sys.modules[_module_name(path)].__dict__["extension"]
    return found


def _run(code: TextFile, module: types.ModuleType) -> None:
    try:
        exec(compile(code.body, code.path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - named by the user
    except (Exception, SystemExit) as error:  # whatever a user's file raises is a fault of that file
        line = line_of(error, code.path)
        place = f"{code.path}, line {line}" if line else code.path
        if isinstance(error, InputError):
            raise error.placed(place) from None
        raise InputError(f"cannot be run ({described(error)})", file=place) from error


def _extension_of(module: types.ModuleType, code: TextFile) -> Extension:
    """Return what a file names, each part of the kind it should be."""
    found = getattr(module, "extension", None)
    if not isinstance(found, Extension):
        raise InputError("names no extension", file=code.path, key="extension", allowed="extension = Extension(...)")
    try:
        sound = _Parts(extension=found).extension
        _Fills(fills={effect.__name__: dict(effect.fills) for effect in sound.effects})
    except ValidationError as error:
        raise _of_another_kind(error, code.path) from None
    module.__dict__["extension"] = sound
    return sound


def _of_another_kind(error: ValidationError, file: Path) -> InputError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    problem = first["msg"].replace("Input should be", "should be").replace("a dictionary or ", "")
    if first["type"] in SEQUENCE:
        allowed = "a list or a tuple; a tuple of one has a comma, (ONE,)"
        return InputError("should be several", file=file, key=key, value=first["input"], allowed=allowed)
    return InputError(problem[:1].lower() + problem[1:], file=file, key=key, value=first["input"])


def _add(extension: Extension, file: Path) -> None:
    """Add all that a file adds; whatever fails in it later will say so."""
    try:
        _require_new(extension)
        add_parameters(extension.parameters, extension.sources, file)
        for one in extension.services:
            add_priced(one.service.name, one.priced)
            add_service(one.service)
            _require_numbers(one.service)
        for column in extension.columns:
            add_column(column)
        for own in extension.steps:
            run = placed(own.step.run, file, f"step {own.step.name}")
            add_step(replace(own.step, run=run), before=own.before, after=own.after)
        for monthly in extension.monthly:
            add_monthly(monthly.field, placed(_counting(monthly), file, f"column {monthly.field.name}"))
        for effect in extension.effects:
            add_effect(effect)
            _place_fill(effect, file)
        _require_terms(extension)
    except InputError as error:
        raise (error if error.file else error.placed(file)) from None


def _require_numbers(service: Service) -> None:
    """Refuse a service without the parameters that its demand and its cost are made of."""
    of_margins = {"deprivation": "deprivation_ratio", "age": "share_65_plus"}
    needed = [*NUMBERS, *(of_margins[margin] for margin in service.margins)]
    known = read_parameters().entries
    for name in (f"{service.name}_{one}" for one in needed):
        if name not in known:
            allowed = "one parameter each: " + ", ".join(needed)
            raise InputError("has no such parameter", key=f"services.{service.name}", value=name, allowed=allowed)


def _require_new(extension: Extension) -> None:
    """Refuse names that another file has added, with that file."""
    ours = set(_names(extension))
    for path, code in LOADED.items():
        for what, name in sorted(ours & set(_names(_loaded_from(path)))):
            raise InputError(f"{code.path} has a {what} of this name", key=what, value=name, allowed="another name")


def _names(extension: Extension) -> Iterator[tuple[str, str]]:
    yield from (("parameter", one.name) for one in extension.parameters)
    yield from (("service", one.service.name) for one in extension.services)
    yield from (("column", one.name) for one in extension.columns)
    yield from (("step", one.step.name) for one in extension.steps)
    yield from (("column of monthly", one.field.name) for one in extension.monthly)
    yield from (("kind of effect", kind_of(one)) for one in extension.effects)
    yield from (("term", name) for one in extension.effects for name in one.fills)


def _counting(monthly: MonthlyColumn) -> Callable[[Simulation], Array]:
    """Return a column's count, which refuses what its table could not hold."""

    @functools.wraps(monthly.count)
    def count(sim: Simulation) -> Array:
        values, n = np.asarray(monthly.count(sim)), len(sim.world.place.neighbourhoods)
        if values.shape != (n,):
            raise ValueError(f"{n} values are needed, one for each neighbourhood; their shape is {values.shape}")
        pa.array(values, monthly.field.type)
        return values

    return count


def _place_fill(effect: type[Effect], file: Path) -> None:
    """Have an effect's fill say where it fails; a term that the effect does not declare is such a failure."""
    if effect.fill is Effect.fill:
        raise InputError("has no fill", key=kind_of(effect), allowed="a method fill, which writes to the terms")
    fill = placed(effect.fill, file, f"effect {kind_of(effect)}")
    type.__setattr__(effect, "fill", fill)


def _require_terms(extension: Extension) -> None:
    """Refuse steps that read what no effect fills, and effects that fill what no step reads."""
    filled, read = terms_filled(), {term for step in all_steps() for term in step.reads}
    for own in extension.steps:
        for term in own.step.reads:
            if term not in filled:
                raise InputError(
                    "no effect fills what this step reads",
                    key=f"{own.step.name}.reads",
                    value=term,
                    allowed="a term that an effect names in its fills",
                    known=filled,
                    wanted=term,
                )
    for effect in extension.effects:
        for term in effect.fills:
            if term not in read:
                raise InputError(
                    "no step reads what this effect fills",
                    key=f"{kind_of(effect)}.fills",
                    value=term,
                    allowed="a term that a step of your own names in its reads",
                )
