"""The sets that a search found, as the data file that studies draw from."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from model.core.errors import EvidenceError
from model.core.files import replace_text
from model.inputs.ensemble import MADE_BY, SET, VARIANT, code_of_sets
from model.studies.ensemble.search import Found

DIGITS = 6
OPENING = (
    "# Sets of numbers that fit England, by structural variant: written by `upstream calibrate --ensemble`;\n"
    "# see docs/ensemble.md. They stand over the values of parameters.toml and fitted.toml.\n"
    "{made_by}{code}\n"
)


def members_table(found: Sequence[Found]) -> pd.DataFrame:
    """Return the sets of variants with a row for each: ``variant``, ``member`` from 1, and the parameters.

    A parameter that a variant does not have is empty there.
    """
    parts = [pd.DataFrame(one.members).assign(**{VARIANT: one.variant}) for one in found]
    for part in parts:
        part[SET] = range(1, len(part) + 1)
    table = pd.concat(parts, ignore_index=True)
    return table[[VARIANT, SET, *table.columns.drop([VARIANT, SET])]]


def write_members(found: Sequence[Found], path: Path) -> None:
    """Write the sets of variants all at once.

    Raises
    ------
    EvidenceError
        When the file cannot be written.
    """
    opening = OPENING.format(made_by=MADE_BY, code=code_of_sets())
    replace_text(path, opening + members_table(found).to_csv(index=False, float_format=f"%.{DIGITS}g"), EvidenceError)
