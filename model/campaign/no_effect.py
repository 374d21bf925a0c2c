"""The plans of a campaign again, each with what its answer rests on most at no effect."""

from collections.abc import Sequence

from model.analysis.appraise import appraise
from model.core.errors import NothingToAppraiseError
from model.inputs.scenario import Scenario
from model.tables.results import Results

LONGEST_STEM = 60


def name_of_test(scenario: str) -> str:
    """Name the test of a scenario, for tables.

    Examples
    --------
    >>> name_of_test("people_powered_shift")
    'people_powered_shift_at_no_effect'
    """
    return f"{scenario[:LONGEST_STEM]}_at_no_effect"


def tests_of(results: Results, scenarios: Sequence[Scenario]) -> dict[str, Scenario]:
    """Find the programme on which each compared scenario's gain rests most, and put it at no effect.

    A scenario has no test where lives were not kept, nobody who took part gained, the programme is at no effect
    already, or the comparator pays for it too.

    Parameters
    ----------
    results : Results
        What has been run of the campaign.
    scenarios : sequence of Scenario
        All of the campaign.

    Returns
    -------
    dict
        By the name of a scenario, its test.
    """
    named = {config.name: config for config in scenarios}
    try:
        largest = {one.comparison.scenario: one.appraisal.largest_entry for one in appraise(results)}
    except NothingToAppraiseError:  # no pair of runs was finished, or nothing was spent
        return {}
    compared = {name: named[results.manifest["comparators"][name]] for name in largest}
    return {
        name: at_no_effect(named[name], label)
        for name, label in largest.items()
        if label is not None and _would_tell(named[name], label, compared[name])
    }


def at_no_effect(config: Scenario, label: str) -> Scenario:
    """Return a scenario under another name, one more entry of whose plan has no effect.

    Examples
    --------
    >>> from model import load_scenario
    >>> test = at_no_effect(load_scenario("people_powered_shift"), "peer_support_group")
    >>> test.title, [entry.label for entry in test.plan if entry.at_no_effect]
    ('People-powered shift, peer support group at no effect', ['peer_support_group'])
    """
    without = {"at_no_effect": True}
    plan = [entry.model_copy(update=without) if entry.label == label else entry for entry in config.plan]
    title = f"{config.title or config.name}, {label.replace('_', ' ')} at no effect"
    return config.model_copy(update={"name": name_of_test(config.name), "title": title, "plan": plan})


def _would_tell(config: Scenario, label: str, comparator: Scenario) -> bool:
    """Ask whether a plan differs from its test, and its comparator doesn't pay for what is tested."""
    tested = next(entry for entry in config.plan if entry.label == label)
    return not tested.at_no_effect and tested.programme not in {entry.programme for entry in comparator.plan}
