"""Mechanisms, services, parameters, columns and effects of one's own, without editing the package.

One Python file beside a study says what it adds, as an `Extension` by the name ``extension``.
``upstream run --with FILE`` or `load_extension` loads it; a campaign hands it to its workers.
Loading a file runs it: load your own files only. A scenario can never name one.
"""

import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.core.arrays import Array
from model.core.errors import InputError
from model.core.files import TextFile, read_bounded
from model.core.own_code import LOADED
from model.inputs.catalogue import Service, add_service
from model.inputs.parameters import Parameter, Source, add_parameters
from model.inputs.payers import Payment, Priced, add_priced
from model.inputs.programmes import Effect, Number, Ratio, Share, Term, add_effect, kind_of, terms_filled
from model.simulation.month import Step, add_step, all_steps
from model.simulation.simulation import Simulation
from model.simulation.steps.record import add_monthly
from model.state.population import Column, add_column
from model.tables.schema import Field

LARGEST_BYTES = 1_000_000

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


def load_extension(path: str | Path) -> Extension:
    """Load a file of one's own, before any scenario is read. It is read once; loading runs it.

    Raises
    ------
    InputError
        When the file cannot be read or run, adds something that is there already, puts a step at a
        place that does not exist, or has an effect that no step reads.
    """
    file = Path(path)
    return run_own_code(file.stem, read_bounded(file, LARGEST_BYTES, InputError))


def run_own_code(name: str, code: TextFile) -> Extension:
    """Run code that was read already, in a worker say, and add what it adds.

    Raises
    ------
    InputError
        As `load_extension`.
    """
    if name in LOADED and LOADED[name].sha256 != code.sha256:
        raise InputError(
            "has changed since it was loaded", file=code.path, allowed="what it was, or a new session of Python"
        )
    module = types.ModuleType(f"upstream_own_{name.replace('.', '_')}")
    try:
        exec(compile(code.body, code.path, "exec"), module.__dict__)  # noqa: S102 - named by the user to be run
    except InputError:
        raise
    except Exception as error:  # whatever a user's file raises is a fault of that file
        raise InputError(f"cannot be run ({type(error).__name__}: {error})", file=code.path) from error
    found = getattr(module, "extension", None)
    if not isinstance(found, Extension):
        raise InputError("names no extension", file=code.path, key="extension", allowed="extension = Extension(...)")
    if name not in LOADED:
        try:
            _add(found, code.path)
        except InputError as error:
            raise (error if error.file else error.placed(code.path)) from None
        LOADED[name] = code
        sys.modules[module.__name__] = module  # a scenario with an effect of its own finds the class in workers too
    return found


def _add(extension: Extension, file: Path) -> None:
    add_parameters(extension.parameters, extension.sources, file)
    for one in extension.services:
        add_priced(one.service.name, one.priced)
        add_service(one.service)
    for column in extension.columns:
        add_column(column)
    for own in extension.steps:
        add_step(own.step, before=own.before, after=own.after)
    for monthly in extension.monthly:
        add_monthly(monthly.field, monthly.count)
    for effect in extension.effects:
        add_effect(effect)
        _require_read(effect)


def _require_read(effect: type[Effect]) -> None:
    read = {term for step in all_steps() for term in step.reads}
    for term in effect.fills:
        if term not in read:
            raise InputError(
                "no step reads what this effect fills",
                key=f"{kind_of(effect)}.fills",
                value=term,
                allowed="a term that a step names in its reads",
                known=read | set(terms_filled()),
                wanted=term,
            )
