"""The page docs/trials.md: published trials of programmes, beside their replays in the model."""

from collections.abc import Iterable, Mapping

from model.inputs.programmes import load_programme
from model.reporting.pages.parts import Lines, head, mean_of, row
from model.studies.runner import Answers
from model.studies.trials import Trial, crosswalk, months_shown, ratio_range


def trials_page(found: Answers, trials: Iterable[Trial]) -> str:
    """Show trials as published and as replayed, as Markdown."""
    parts = [_opening(found), *(_of_trial(found, trial) for trial in trials)]
    return "\n".join("\n".join(part) + "\n" for part in parts)


def solved_lines(trial: Trial, numbers: Mapping[str, float]) -> Lines:
    """Write what a trial solves as the lines of its programme's file.

    Examples
    --------
    >>> from model.studies.trials import trial_of
    >>> befriending = trial_of("befriending")
    >>> solved = {"effects.1.worsen": 0.58, "effects.1.improve": 1.72, "course.fade_out_months": 3.5}
    >>> list(solved_lines(befriending, solved))[:1]
    ['effects.1.worsen: value = 0.58, range = [0.33, 0.94]']
    """
    worsen, improve = trial.ratios
    low, high = ratio_range(trial, numbers[improve])
    yield f"{worsen}: value = {numbers[worsen]:.2f}, range = [{1 / high:.2f}, {1 / low:.2f}]"
    yield f"{improve}: value = {numbers[improve]:.2f}, range = [{low:.2f}, {high:.1f}]"
    yield f"course.fade_out_months: value = {numbers['course.fade_out_months']:.1f}"


def _opening(found: Answers) -> Lines:
    yield "# Trials of programmes, replayed"
    yield ""
    yield (
        f"Written by `upstream replay`: England, {found.residents:,} simulated residents, {len(found.figures)} seeds. "
        "The programmes below act on their participants so strongly, and for so long, that the model gives what "
        "their trials published, replayed by the trials' own design. Agreement at the two times that were asked "
        "about is therefore no test. What the programme does at other times, to other people and to services "
        "follows from the model."
    )
    yield ""
    walk = crosswalk()
    yield (
        "Half of the adults who struggle or are in crisis are allocated. Some of them never take the programme up, "
        "and are counted all the same. All are compared with themselves in the same world without the programme. "
        f"Trials measure symptoms or recovery; the model has life satisfaction, of which {walk.value:g} standard "
        f"deviations are taken for one of those ({walk.range[0]:g} to {walk.range[1]:g}). {walk.why}"
    )
    yield ""
    yield (
        "Differences are in standard deviations of what the trial measured; below 0 is better. ± is half of a 95 % "
        "interval for the mean over seeds: chance between runs alone."
    )


def _of_trial(found: Answers, trial: Trial) -> Lines:
    programme = load_programme(trial.programme)
    yield f"## {programme.label}"
    yield ""
    yield f"- **Outcome**: {trial.outcome}. **Compared with**: {trial.comparator}."
    yield f"- **Who**: {trial.population}. {programme.enrolment.uptake.value:.0%} take it up.".replace("%", " %")
    yield f"- **Assumed**: {trial.why}"
    yield ""
    months = months_shown(trial)
    yield from head("months after allocation", *map(str, months))
    published = dict(zip(trial.months, zip(trial.difference_sd, trial.range_sd, strict=True), strict=True))
    yield row("published", *(_published(published.get(month)) for month in months))
    for look, meaning in (("whole", "the model: the programme"), ("ties", "the ties that it makes, alone")):
        yield row(meaning, *(mean_of(found, f"{trial.programme}_{look}_{month}").short(2, "+") for month in months))
    yield ""
    yield _verdict(found, trial)
    yield ""
    yield (
        f"Solved again by `upstream replay {trial.programme} --solve`. What it gave stands in the programme's file, "
        "and it gives the same again but for chance: "
        + ", ".join(f"`{key}` {programme.numbers[key].value:g}" for key in (*trial.ratios, "course.fade_out_months"))
        + "."
    )


def _published(one: tuple[float, tuple[float, float]] | None) -> str:
    return "" if one is None else f"{one[0]:+.2f} ({one[1][0]:.2f} to {one[1][1]:.2f})"


def _verdict(found: Answers, trial: Trial) -> str:
    apart = [
        f"{month} months"
        for month, (low, high) in zip(trial.months, trial.range_sd, strict=True)
        if not low <= mean_of(found, f"{trial.programme}_whole_{month}").mean <= high
    ]
    if apart:
        return f"**Outside the published interval** at {' and '.join(apart)}."
    return "The replay lies within the published intervals at both times."
