"""Reference pages, written from the data that the model reads."""

import importlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from model.core.files import PACKAGE
from model.inputs.catalogue import load_channels
from model.inputs.parameters import (
    ASSUMPTION,
    GRADES,
    PARAMETERS_FILE,
    PROBABILITY_HELD,
    STATUSES,
    Parameter,
    load_parameters,
)
from model.reporting.pages.programmes import programmes_page
from model.reporting.pages.registers import assumptions_page, limits_page
from model.reporting.pages.tables import tables_page
from model.reporting.wording import plain_table
from model.simulation.month import all_steps
from model.state.population import COLUMNS
from model.studies.calibration import HIGHEST_RADIUS, WORRYING_RADIUS, Fit, knobs
from model.studies.targets import load_targets

WITH_TABLES = ("README.md", "docs/ODD.md")
"""Pages of which some tables are generated."""

_HEADING = re.compile(r"# --- (?P<title>.+) ---$|\[parameters\.(?P<name>\w+)\]$", re.MULTILINE)


def parameters_page() -> str:
    """Return every parameter, in the sections and the order of its file, as Markdown.

    Examples
    --------
    >>> parameters_page().splitlines()[0]
    '# Parameters'
    """
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    parameters = load_parameters()
    yield "# Parameters"
    yield ""
    yield "Written by `upstream parameters` from `model/data/parameters.toml`; change them there."
    yield ""
    yield from (f"- **{grade}**: {meaning}" for grade, meaning in GRADES.items())
    yield ""
    yield from (f"- **{status}**: {meaning}" for status, meaning in STATUSES.items())
    yield from _what_a_range_means()
    for match in _HEADING.finditer(PARAMETERS_FILE.read_text(encoding="utf-8")):
        if match["title"]:
            yield ""
            yield f"## {match['title']}"
            yield ""
            if not match["title"].startswith("Where the numbers"):
                yield "| parameter | value | range | unit | grade | status | meaning | source, or why |"
                yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        else:
            yield _row(parameters.entry(match["name"]))
    for key, source in parameters.sources.items():
        licence = f" {source.licence}." if source.licence else ""
        yield f"- **{key}**: {source.citation} Seen: {source.seen}.{licence}"


def _what_a_range_means() -> Iterator[str]:
    held = {name: f"{100 * share:g} %" for name, share in PROBABILITY_HELD.items()}
    yield from ("", "## What a range means", "")
    yield (
        "A study can draw numbers that nobody knows. The range and the distribution of a number say how likely each "
        "value is:"
    )
    yield ""
    yield (
        "- **uniform**: every value of the range is as likely as any other. "
        f"The range holds {held['uniform']} of draws."
    )
    yield (
        "- **triangular**: the best estimate is likeliest, and likelihood falls in a straight line to each end. "
        f"The range holds {held['triangular']} of draws."
    )
    yield (
        "- **lognormal**: half of draws lie below the best estimate. The logarithm is normal, with a spread of its own "
        f"on each side. The range holds {held['lognormal']} of draws."
    )
    yield "- **fixed**: never drawn."
    yield ""
    yield (
        "Programmes, cashable shares and the value of a WELLBY have ranges without a distribution. They are lognormal "
        "where the range lies above 0 with the best estimate inside it, so that half of draws lie on each side however "
        "far one end is, and otherwise triangular. A range that ends at no effect has no effect within reach."
    )
    yield ""
    yield (
        "A value that a number cannot have is moved to the nearest that it can have. Parts of one whole that are more "
        "than the whole together are lessened in proportion. Numbers are drawn independently, but for those in "
        "`model/data/correlations.toml`. Fitted numbers hang together, so none is drawn by itself. What a scenario "
        "sets is not drawn in any scenario of the study. Discount rates have no range."
    )


def _row(one: Parameter) -> str:
    source = ", ".join(one.sources) or f"*{ASSUMPTION}*"
    why = f". {one.why}" if one.why else ""
    return (
        f"| `{one.name}` | {one.value:g} | {one.low:g} to {one.high:g}, {one.distribution} "
        f"| {one.unit} | {one.grade} | {one.status} | {one.meaning} | {source}{why} |"
    )


def channels_table() -> str:
    """Return every route between ties and wellbeing as a Markdown table.

    Examples
    --------
    >>> channels_table().splitlines()[0]
    '| channel | what goes along it | rule | size | cut or blinded in |'
    """
    lines = ["| channel | what goes along it | rule | size | cut or blinded in |", "| --- | --- | --- | --- | --- |"]
    for one in load_channels().values():
        size = ", ".join(f"`{name}`" for name in one.parameters)
        cut = "; ".join(
            f"`{variant}` ({', '.join(f'{name} = {value:g}' for name, value in values.items())})"
            for variant, values in one.cut.items()
        )
        lines.append(f"| {one.name} | {one.meaning} | {one.mechanism} | {size} | {cut or 'none'} |")
    return "\n".join(lines) + "\n"


def fit_table(found: Fit) -> RenderableType:
    """Show each fitted value with its prior, and the result with the target that informs it."""
    table = plain_table(f"Free in {found.variant}", "prior", "fitted", "published", "model", "target")
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    for knob in knobs():
        target = load_targets()[knob.target]
        table.add_row(
            knob.name,
            f"{knob.prior:.3g}",
            f"{found.knobs[knob.name]:.3g}",
            f"{target.value:g}",
            f"{found.measured[target.name]:.2f}",
            target.meaning,
        )
    predicted = [
        f"{target.meaning} {found.measured[name]:.2f} (published {target.value:g})"
        for name, target in load_targets().items()
        if name in found.measured and target.kind == "predicted"
    ]
    is_worrying = found.radius > WORRYING_RADIUS
    words = f"Spectral radius of contagion: {found.radius:.3f}" + (
        f", above {WORRYING_RADIUS}: contagion is stronger than the sources support."
        if is_worrying
        else f" (worrying above {WORRYING_RADIUS}, refused above {HIGHEST_RADIUS})."
    )
    return Group(
        table,
        Text(f"Predicted, not fitted: {'; '.join(predicted)}.", style="dim"),
        Text(words, style="red" if is_worrying else "dim"),
        Text(""),
    )


def columns_table() -> str:
    """Return every column of a resident as a Markdown table.

    Examples
    --------
    >>> columns_table().splitlines()[2]
    '| `resident` | id | who this is, for life; founders are 1, 2, 3 … | demography |'
    """
    head = "| column | unit | meaning | changed by |\n| --- | --- | --- | --- |\n"
    return head + "".join(f"| `{one.name}` | {one.unit} | {one.meaning} | {one.owner} |\n" for one in COLUMNS)


def layers_table(layers: Sequence[str]) -> str:
    """Return the layers of the package, the highest first, as a Markdown table.

    Parameters
    ----------
    layers : sequence of str
        As import-linter's contract names them: siblings apart by ``:`` or ``|``.

    Examples
    --------
    >>> layers_table(["cli", "state : network"]).splitlines()[2]
    '| `model/cli.py` | The command line: reads the request, runs it and prints the answer. |'
    """
    rows = []
    for layer in layers:
        names = re.split(r" [:|] ", layer)
        paths = [f"`model/{name}{'/' if (PACKAGE / name).is_dir() else '.py'}`" for name in names]
        rows.append(f"| {', '.join(paths)} | {' '.join(_first_line(name) for name in names)} |\n")
    return "| may import only what stands below it | what it is |\n| --- | --- |\n" + "".join(rows)


def _first_line(name: str) -> str:
    module = importlib.import_module(f"model.{name}")
    return (module.__doc__ or "").splitlines()[0]


def contract_layers(pyproject: Path) -> list[str]:
    """Read the layers of the contract that import-linter holds."""
    contracts = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]
    return next(one["layers"] for one in contracts["contracts"] if one["id"] == "layers")


def steps_table() -> str:
    """Return the steps of a month, in order, as a Markdown table.

    Examples
    --------
    >>> steps_table().splitlines()[2]
    '| `settle_residents` | Fill the place with a sample of its residents. | founding | yes |'
    """
    rows = (
        f"| `{step.name}` | {step.meaning} | {', '.join(step.phases)} | {_yes(not step.needs_demography)} |\n"
        for step in all_steps()
    )
    head = "| step | what it does | when | without demography |\n| --- | --- | --- | --- |\n"
    return head + "".join(rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def with_tables(page: str) -> str:
    """Return a page with the tables it has marks for written again."""
    tables = {
        "columns": columns_table,
        "channels": channels_table,
        "steps": steps_table,
        "layers": lambda: layers_table(contract_layers(PACKAGE.parent / "pyproject.toml")),
    }
    for mark, table in tables.items():
        if f"<!-- {mark}: " not in page:
            continue
        before, _, rest = page.partition(f"<!-- {mark}: ")
        note, _, rest = rest.partition("-->\n")
        _, _, after = rest.partition("<!-- end -->")
        page = f"{before}<!-- {mark}: {note}-->\n\n{table()}\n<!-- end -->{after}"
    return page


def parameter_names() -> str:
    """Return the module that names every parameter for type checkers."""
    names = "".join(f"    {name}: float\n" for name in load_parameters())
    return (
        '"""Names of all parameters, for type checkers: `make docs` writes them from the data file."""\n\n\n'
        f'class ParameterNames:\n    """What `Parameters` can be read as attributes by."""\n\n{names}'
    )


def generated(root: Path) -> dict[Path, str]:
    """Return every file of the project that is generated without running the model, with its text."""
    pages = {root / name: with_tables((root / name).read_text(encoding="utf-8")) for name in WITH_TABLES}
    return {
        **pages,
        root / "docs" / "assumptions.md": assumptions_page(),
        root / "docs" / "limits.md": limits_page(),
        root / "docs" / "parameters.md": parameters_page(),
        root / "docs" / "programmes.md": programmes_page(),
        root / "docs" / "tables.md": tables_page(),
        PACKAGE / "inputs" / "parameter_names.py": parameter_names(),
    }


if __name__ == "__main__":
    for path, text in generated(PACKAGE.parent).items():
        path.write_text(text, encoding="utf-8")
