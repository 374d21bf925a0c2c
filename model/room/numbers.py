"""Numbers as people write and read them."""

from collections.abc import Callable

import solara

from model.core.errors import ScenarioError
from model.web.fields import field

WRITTEN = "a number such as 2,500,000 or 2.5m"

LONGEST = 1e15

SIZES = {"k": 1e3, "m": 1e6, "bn": 1e9}


def number_in(text: str) -> float:
    """Read a number as people write it: with a pound sign, commas, or k, m and bn.

    Raises
    ------
    ScenarioError
        When it is none.

    Examples
    --------
    >>> number_in("£2,500,000"), number_in("2.5m"), number_in("3.5 %")
    (2500000.0, 2500000.0, 3.5)
    """
    plain = text.strip().lower().replace("£", "").replace(",", "").replace(" ", "").removesuffix("%")
    for sign, size in SIZES.items():
        if plain.endswith(sign):
            return _float(plain.removesuffix(sign), text) * size
    return _float(plain, text)


def _float(plain: str, text: str) -> float:
    try:
        value = float(plain)
    except ValueError:
        raise ScenarioError(
            "is no number", key="value", value=text, allowed="a number such as 2,500,000 or 2.5m"
        ) from None
    if not abs(value) < float("inf"):
        raise ScenarioError("is no number", key="value", value=text, allowed=WRITTEN)
    return value


def shown(value: float) -> str:
    """Write a number as it is typed.

    Examples
    --------
    >>> shown(2_500_000.0), shown(0.035), shown(3.0)
    ('2,500,000', '0.035', '3')
    """
    return f"{value:,.10g}" if abs(value) < LONGEST else f"{value:g}"


@solara.component
def NumberField(  # noqa: N802 - a component
    name: str,
    label: str,
    value: float | None,
    on_value: Callable[[float | None], None],
    least: float,
    most: float,
    *,
    hint: str = "",
    is_fixed: bool = False,
    is_whole: bool = False,
) -> None:
    """Show a field for a number, and say what is wrong with what is typed; empty is None."""
    problem, say = solara.use_state("")
    typed, keep = solara.use_state("")

    stays = "" if value is None else f" It stays {shown(value)}."

    def read(text: str) -> None:
        keep(text)
        if not text.strip():
            say("")
            on_value(None)
            return
        try:
            number = number_in(text)
        except ScenarioError:
            say(f"“{text[:30]}” is no number; write 2,500,000 or 2.5m.{stays}")
            return
        if not least <= number <= most or (is_whole and number != int(number)):
            say(f"Allowed: {'whole numbers ' if is_whole else ''}from {shown(least)} to {shown(most)}.{stays}")
            return
        say("")
        on_value(number)

    text = typed if problem else "" if value is None else shown(value)
    field(name, label, text, read, kind="number", hint=hint, problem=problem, is_fixed=is_fixed)
