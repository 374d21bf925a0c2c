"""Units and meanings of columns, as the tables themselves carry them."""

from collections.abc import Iterable
from typing import Any, Self

import pyarrow as pa

from model.tables.schema import TABLES, schema_of


class Codebook(dict[str, str]):
    """Words by the name of a column.

    Copies share them: pandas copies the ``attrs`` of a frame in depth at every step.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def codebooks(schema: Iterable[pa.Field]) -> dict[Any, Codebook]:
    """Return the units and meanings of every column of every table, those of this one as it carries them.

    All frames get the same words, because a frame that is merged from two keeps its ``attrs`` only
    where they agree.

    Parameters
    ----------
    schema : iterable of pyarrow.Field
        Of a table as it was written, perhaps with a column that this process does not know, and levers of a study.

    Examples
    --------
    >>> codebooks(schema_of("services"))["units"]["cost_gbp"]
    'GBP (real place)'
    """
    fields = [field for one in (*map(schema_of, TABLES), schema) for field in one]
    return {
        f"{what}s": Codebook({field.name: word_of(field, what) for field in fields}) for what in ("unit", "meaning")
    }


def word_of(field: pa.Field, what: str) -> str:
    """Return the ``unit`` or the ``meaning`` that a column carries; none, an empty word, if it has none.

    Examples
    --------
    >>> word_of(schema_of("runs").field("scale"), "unit")
    'ratio'
    """
    words: bytes = (field.metadata or {}).get(what.encode(), b"")
    return words.decode()
