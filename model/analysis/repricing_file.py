"""A repricing as a file, so that no study is appraised twice: plain arrays, checked before they are used."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from model.analysis.discounting import load_guidance
from model.analysis.doubt import BEST
from model.analysis.repricing import Repricing
from model.analysis.repricing_arrays import Arrays, Best, ByPayer, Lines, Pairs, Services, Use
from model.core.arrays import Array, read_arrays
from model.core.errors import ResultsError
from model.core.files import replacing

FORMAT = 4

AXES = {
    "services.step_units": ("services",),
    "services.units_each": ("services",),
    "services.price_index": ("years", "services"),
    "use.avoided_gbp": ("pairs", "years", "lines"),
    "use.by_a_pound": ("pairs", "years", "lines"),
    "money.spent_gbp": ("pairs", "years", "payers"),
    "money.programmes_gbp": ("pairs", "years", "payers"),
    "money.bias_gbp": ("pairs", "years", "payers"),
    "pairs.draw": ("pairs",),
    "pairs.seed": ("pairs",),
    "pairs.price_gbp": ("pairs", "services"),
    "pairs.cashable": ("pairs", "services"),
    "pairs.wellby_gbp": ("pairs",),
    "pairs.by_entry_gbp": ("pairs", "years", "entries"),
    "pairs.points": ("pairs", "years"),
    "pairs.supporter_months": ("pairs", "years"),
}
BEST_AXES = {
    "best.avoided_gbp": ("best_pairs", "years", "best_lines"),
    "best.by_a_pound": ("best_pairs", "years", "best_lines"),
    "best.is_billed": ("years", "best_lines"),
}
"""Arrays of a file by name, and what they run along; those of draw 0 where it is held."""

KINDS = {"pairs.draw": "i", "pairs.seed": "i", "best.is_billed": "b"}
"""Kinds of number; all others are floating."""

MAY_LACK = "pairs.wellby_gbp"
"""Not a number where none was drawn."""


def write_repricing(repricing: Repricing, path: Path) -> None:
    """Write a repricing to an ``.npz`` file, all at once; an earlier one is replaced.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    them = repricing.arrays
    with replacing(path, ResultsError) as growing, growing.open("wb") as file:
        np.savez(file, allow_pickle=False, **_packed(them), about=np.array(json.dumps(_about(them))))


def read_repricing(path: Path) -> Repricing:
    """Read a repricing from its file.

    Raises
    ------
    ResultsError
        When there is none, it is damaged, or optimism bias by grade of evidence was another when it was made.
    """
    try:
        about, arrays = _unpacked(path)
        found = _arrays(about, arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ResultsError(f"is no repricing ({error})", file=path, allowed="a file of this version") from None
    if about["optimism_bias"] != list(load_guidance().optimism_bias):
        problem = "was made with other optimism bias by grade of evidence"
        raise ResultsError(problem, file=path, allowed="one made again from its study")
    return Repricing(found)


def _about(them: Arrays) -> dict[str, Any]:
    best = them.best and {"lines": them.best.lines, "scale": them.best.scale, "wellbys": them.best.wellbys}
    return {
        "format": FORMAT,
        "optimism_bias": load_guidance().optimism_bias,
        "scenario": them.scenario,
        "years": them.years,
        "services": them.services.names,
        "free": them.services.free,
        "payers": them.payers,
        "lines": them.lines,
        "uplifts": them.uplifts.tolist(),
        "best": best,
    }


def _packed(them: Arrays) -> dict[str, Array]:
    of_best = () if them.best is None else (("best", them.best.use), ("best", them.best))
    parts = (("services", them.services), ("use", them.use), ("money", them.money), ("pairs", them.pairs), *of_best)
    named = ((f"{group}.{name}", one) for group, part in parts for name, one in vars(part).items())
    return {name: one for name, one in named if name in AXES | BEST_AXES}


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    with ZipFile(path) as archive:
        # What a file says it unpacks to is looked at before anything is unpacked; none of ours is compressed.
        if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
            raise ValueError("it is compressed")
    return read_arrays(path, FORMAT)


def _arrays(about: Mapping[str, Any], arrays: Mapping[str, Array]) -> Arrays:
    services, free, payers = (tuple(map(str, about[key])) for key in ("services", "free", "payers"))
    lines, best, uplifts = _lines(about["lines"], services), about["best"], np.array(about["uplifts"], float)
    of_best = _lines(best["lines"], services) if best else ()
    draw = arrays["pairs.draw"]
    sizes = {
        "pairs": len(draw),
        "years": about["years"],
        "services": len(services),
        "payers": len(payers),
        "lines": len(lines),
        "entries": len(uplifts),
        "best_pairs": int((draw == BEST).sum()),
        "best_lines": len(of_best),
    }
    _require_sound(arrays, sizes, AXES | BEST_AXES if best else AXES)
    if bool(best) != (BEST in draw):
        raise ValueError("draw 0 is half there")
    if not ((uplifts >= 0.0) & (uplifts <= 1.0)).all():
        raise ValueError("a share of optimism bias is none")
    return Arrays(
        str(about["scenario"]),
        sizes["years"],
        Services(services, free, **_of(arrays, "services")),
        payers,
        lines,
        uplifts,
        Use(**_of(arrays, "use")),
        ByPayer(**_of(arrays, "money")),
        Pairs(**_of(arrays, "pairs")),
        _best(best, of_best, _of(arrays, "best")) if best else None,
    )


def _best(about: Mapping[str, Any], lines: Lines, arrays: dict[str, Array]) -> Best:
    is_billed = arrays.pop("is_billed")
    return Best(lines, Use(**arrays), is_billed, float(about["scale"]), float(about["wellbys"]))


def _lines(keys: Sequence[Sequence[Any]], services: Sequence[str]) -> Lines:
    lines = tuple((str(payer), str(service)) for payer, service in keys)
    if unknown := sorted({service for _, service in lines} - set(services)):
        raise ValueError(f"{unknown[0]} is none of its services")
    return lines


def _of(arrays: Mapping[str, Array], group: str) -> dict[str, Array]:
    return {name.partition(".")[2]: one for name, one in arrays.items() if name.startswith(f"{group}.")}


def _require_sound(arrays: Mapping[str, Array], sizes: Mapping[str, int], axes: Mapping[str, Sequence[str]]) -> None:
    if set(arrays) != set(axes):
        raise ValueError(f"it has other arrays: {', '.join(sorted(set(arrays) ^ set(axes)))}")
    for name, along in axes.items():
        values = arrays[name]
        if values.shape != tuple(sizes[axis] for axis in along) or values.dtype.kind != KINDS.get(name, "f"):
            raise ValueError(f"{name} has another shape or kind")
        if name != MAY_LACK and not np.isfinite(values).all():
            raise ValueError(f"{name} has what is not a finite number")
    if (np.diff(arrays["pairs.draw"]) < 0).any():
        raise ValueError("its draws are in no order")
