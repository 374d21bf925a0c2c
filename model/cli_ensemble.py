"""Sets of numbers that fit England, as ``upstream calibrate --ensemble`` makes them."""

from collections.abc import Sequence
from pathlib import Path

from model.campaign.provenance import code_hash
from model.core.errors import ResultsError
from model.core.files import replace_text
from model.reporting.pages.ensemble import ensemble_page
from model.reporting.progress import stages
from model.studies.ensemble.coverage import ranks_of_truths
from model.studies.ensemble.members import write_members
from model.studies.ensemble.search import Sizes, search_for
from model.studies.targets import Target

TABLE, PAGE, KEPT = "ensemble.csv", "ensemble.md", "ensemble_runs"
"""What is written into the folder: the sets, the page about them, and simulations that are done."""


def make_ensemble(
    variants: Sequence[str],
    targets: Sequence[Target],
    free: Sequence[str],
    sizes: Sizes,
    seed: int,
    jobs: int,
    out: Path,
) -> list[Path]:
    """Search sets for structural variants, and write them with their page.

    Simulations are kept in the folder, by a hash of the code, so the same command goes on where it was stopped.

    Parameters
    ----------
    variants : sequence of str
        Structural variants.
    targets : sequence of Target
        Figures to fit.
    free : sequence of str
        See `search_for`.
    sizes : Sizes
        How much is simulated.
    seed : int
        Of worlds and designs.
    jobs : int
        Processes.
    out : Path
        A folder.

    Returns
    -------
    list of Path
        The files written.
    """
    kept, found, places = out / KEPT / code_hash()[:16], [], []
    for variant in variants:
        with stages(variant) as tell:
            search = search_for(variant, targets, free, kept, sizes, seed, jobs, tell)
            found.append(search.found())
            places.append(ranks_of_truths(search, found[-1]))
    write_members(found, out / TABLE)
    replace_text(out / PAGE, ensemble_page(found, places), ResultsError)
    return [out / TABLE, out / PAGE]
