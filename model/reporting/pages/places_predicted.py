"""The page docs/places_predicted.md: authorities to which nothing was fitted, compared with what is published."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model.analysis.agreement import FEWEST_PAIRS, correlation, root_mean_square, slope
from model.analysis.estimates import Estimate
from model.core.errors import PlaceError
from model.core.files import replace_text
from model.inputs.authorities import AGES, ALWAYS_THERE, DEPRIVATION, HELD_OUT, NAMES
from model.studies.authorities import COLUMNS, EARLIER_SATISFACTION, OUTCOMES, YEARS, Outcome, Predicted

CSV_NAME = "places_predicted.csv"
TOO_FEW = "too few to tell"
ABOUT_AS_WELL = 0.05
"""Difference between two correlations that is not called one."""


def places_predicted_page(found: Predicted) -> str:
    """Compare predictions for authorities with published figures, as Markdown."""
    parts = (
        _opening,
        _steps_table,
        _verdicts,
        _all_table,
        _spread_table,
        _ceiling,
        _held_out_words,
        _list,
        _file_words,
    )
    return "\n".join("\n".join(part(found)) + "\n" for part in parts)


def write_held_out(found: Predicted, path: Path) -> None:
    """Write the predictions for held-out authorities as CSV, replacing an existing file.

    Raises
    ------
    PlaceError
        When it cannot be written.
    """
    replace_text(path, found.held_out().to_csv(index=False, lineterminator="\n"), PlaceError)


def _opening(found: Predicted) -> Iterator[str]:
    n = len(found.known)
    yield "# Authorities that nobody fitted, predicted"
    yield ""
    yield (
        f"The model was fitted to England as a whole. Here it predicts {n} English local authorities, none of which "
        "was used in the fit. Of each it knows only how many residents of each age live in which neighbourhood, and "
        "how deprived the neighbourhoods are, so predictions follow from ages and deprivation alone: what a council "
        "does, how it records, its housing market and its history are not in them."
    )
    yield ""
    yield (
        f"Written by `upstream predicted`. Each authority is simulated without change for {YEARS} years after burn-in, "
        f"with {found.residents:,} residents (all of them where fewer live there) and {len(found.by_seed)} seeds, of "
        "which the mean counts. Brackets are 95 % intervals over authorities: by Fisher's z for a correlation, by "
        "Student's t for a slope. They hold which authorities were compared, chance in the runs and in the published "
        "figures. They do not hold doubt about the parameters, which all authorities share."
    )


def _steps_table(found: Predicted) -> Iterator[str]:
    yield "## Authorities in even steps of deprivation"
    yield ""
    yield (
        "The correlation is of predicted and published. The slope is of published on predicted: at 1 differences "
        "between authorities have their published size, below 1 the model exaggerates them. *Regression* is the "
        "correlation of the published figures with the best linear regression on the deprivation score, the shares of "
        "five age groups, or both; each authority is predicted by a regression on the others. The regression is fitted "
        "to these very outcomes and the best of three is shown, so it is a hard test. Few children are in care in a "
        "small sample, so their figures are what is to be expected of each simulated child's age, home and "
        "neighbourhood. They are published by county and not by district, so children's rows are of authorities that "
        "are no district of a county."
    )
    yield ""
    yield from _agreement_rows(found, {one: found.in_steps(one) for one in OUTCOMES})


def _all_table(found: Predicted) -> Iterator[str]:
    yield "## All authorities of which every outcome is published"
    yield ""
    yield "The same, without choosing: more authorities, so narrower intervals."
    yield ""
    yield from _agreement_rows(found, {one: found.comparable(one) for one in OUTCOMES})


def _agreement_rows(found: Predicted, codes: dict[Outcome, list[str]]) -> Iterator[str]:
    yield "| outcome | published | authorities | correlation | slope | regression |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one, chosen in codes.items():
        r, b, other = _agreement(found, one, chosen)
        yield f"| {one.meaning} | {one.when} | {len(chosen)} | {_told(r)} | {_told(b)} | {_told(other)} |"


def _agreement(found: Predicted, outcome: Outcome, codes: list[str]) -> tuple[Estimate, Estimate, Estimate]:
    predicted, published = found.pairs(outcome, codes)
    regression = found.by_regression(outcome, codes)
    if np.isnan(regression).any():
        return correlation(predicted, published), slope(predicted, published), Estimate.exact(np.nan)
    return correlation(predicted, published), slope(predicted, published), correlation(regression, published)


def _told(figure: Estimate) -> str:
    return TOO_FEW if np.isnan(figure.mean) else figure.text(2)


def _verdicts(found: Predicted) -> Iterator[str]:
    yield "What hits and what misses, by the table above:"
    yield ""
    for one in OUTCOMES:
        yield f"- **{one.meaning}**: {_verdict(*_agreement(found, one, found.in_steps(one)))}"


def _verdict(r: Estimate, b: Estimate, regression: Estimate) -> str:
    if np.isnan(r.mean):
        return "too few authorities to tell."
    if not r.excludes_zero:
        return f"a miss: no clear relation with what is published.{_beside(r, regression)}"
    if r.mean < 0.0:
        return f"a miss: authorities are ordered the wrong way round.{_beside(r, regression)}"
    return f"a hit in the order of authorities; {_size(b)}.{_beside(r, regression)}"


def _size(b: Estimate) -> str:
    if b.low <= 1.0 <= b.high:
        return "differences between them are not clearly larger or smaller than published"
    return f"a miss in the size of differences, which are {'exaggerated' if b.mean < 1.0 else 'too small'}"


def _beside(r: Estimate, regression: Estimate) -> str:
    if np.isnan(regression.mean):
        return ""
    if abs(r.mean - regression.mean) < ABOUT_AS_WELL:
        better = "about as well as"
    else:
        better = "better than" if r.mean > regression.mean else "worse than"
    return f" It does {better} the regression ({r.mean:.2f} against {regression.mean:.2f})."


def _spread_table(found: Predicted) -> Iterator[str]:
    yield "## Level, spread and typical error"
    yield ""
    yield (
        "Over all authorities of the second table. *Seeds agree* is the correlation between the first and the last "
        "seed: where it is low, much of the spread of predictions is chance in small samples, and larger samples "
        "would raise correlation and slope. The typical error is the root mean square of published less predicted; "
        "beside it, that of the regression. Admissions and homelessness are brought to the mean of the published "
        "figures, so their level is no prediction: admissions are published on a scale of their own, and the "
        "published households are those already homeless, while the model's duties count those threatened too."
    )
    yield ""
    yield (
        "| outcome | unit | mean predicted | mean published | s.d. predicted | s.d. published | seeds agree "
        "| typical error | of the regression |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for one in OUTCOMES:
        yield _spread_row(found, one)


def _spread_row(found: Predicted, outcome: Outcome) -> str:
    codes = found.comparable(outcome)
    if len(codes) < FEWEST_PAIRS:
        return f"| {outcome.meaning} | {outcome.unit} |{f' {TOO_FEW} |' * 7}"
    predicted, published = found.pairs(outcome, codes)
    first, last = (found.by_seed[k].loc[codes, outcome.name].to_numpy() for k in (0, -1))
    regression = root_mean_square(published - found.by_regression(outcome, codes))
    sizes = (predicted.mean(), published.mean(), predicted.std(ddof=1), published.std(ddof=1))
    cells = [f"{size:.{outcome.digits}f}" for size in sizes]
    errors = [f"{size:.{outcome.digits}f}" for size in (found.typical_error(outcome), regression)]
    agree = correlation(first, last)
    return f"| {outcome.meaning} | {outcome.unit} | {' | '.join(cells)} | {_told(agree)} | {' | '.join(errors)} |"


def _ceiling(found: Predicted) -> Iterator[str]:
    one = OUTCOMES[0]
    both = found.official[[EARLIER_SATISFACTION, one.column]].dropna()
    agree = correlation(both[EARLIER_SATISFACTION].to_numpy(), both[one.column].to_numpy())
    known = both.loc[both.index.isin(found.simulated.index)]
    pooled = found.simulated.loc[known.index, one.name].to_numpy(), known.mean(axis=1).to_numpy()
    yield "## What no prediction can reach"
    yield ""
    yield (
        f"Published figures of mean life satisfaction of 2018/19 and of {one.when} correlate at "
        f"{_told(agree)} over {len(both)} authorities: surveys of single authorities are small. If nothing but chance "
        "parted the two years, a perfect prediction of what lasts would correlate with either at the square root of "
        f"that{_root(agree)}, and with their mean at somewhat more{_root_of_two(agree)}. The model's correlation with "
        f"the mean of both years is {_told(correlation(*pooled))} over {len(known)}. "
        "The file has no second year of the other outcomes."
    )


def _root(agree: Estimate) -> str:
    return f", {agree.mean**0.5:.2f}" if agree.mean > 0.0 else ""


def _root_of_two(agree: Estimate) -> str:
    """Return the root of the reliability of a mean of two (Spearman 1910, Brown 1910)."""
    return f", {(2.0 * agree.mean / (1.0 + agree.mean)) ** 0.5:.2f}" if agree.mean > 0.0 else ""


def _held_out_words(found: Predicted) -> Iterator[str]:
    n = int((found.official[HELD_OUT] == 1).sum())
    yield "## Held-out authorities"
    yield ""
    yield (
        f"[{CSV_NAME}]({CSV_NAME}) has predictions for {n} authorities marked `held_out` in the file, whose outcomes "
        "are blank there on purpose and were not looked up. `low` and `high` are the ends of a 95 % interval for the "
        "published figure: Student's t times the typical error above, so it holds the model's mean error, chance in "
        "the runs and in the published figures, and whatever of an authority does not follow from ages and "
        "deprivation. It is cut at 0. It assumes that held-out authorities are like the others. Figures of children "
        "in districts of a county (`published_for` = `county`) are of the district, while what is published is of the "
        "county; authorities far smaller than the others, such as the Isles of Scilly, vary by chance more than the "
        "interval says. The file gives the admissions ratio of held-out authorities too, as part of its measures of "
        "deprivation; it was left out when the file was read."
    )


def _list(found: Predicted) -> Iterator[str]:
    yield "## Each authority"
    yield ""
    yield (
        "Predicted / published, for the authorities of the first table, the least deprived first. Children's figures "
        "are left out where they are published for a county."
    )
    yield ""
    yield f"| authority | deprivation score | {' | '.join(one.meaning for one in OUTCOMES)} |"
    yield f"| --- | --- |{' --- |' * len(OUTCOMES)}"
    chosen = {code for one in OUTCOMES for code in found.in_steps(one)}
    rows = found.official.loc[sorted(chosen)].sort_values(DEPRIVATION, kind="stable")
    for code, name, score in zip(rows.index.astype(str), rows["lad24nm"], rows[DEPRIVATION], strict=True):
        cells = [_pair(found, one, code) for one in OUTCOMES]
        yield f"| {name} | {score:.1f} | {' | '.join(cells)} |"


def _pair(found: Predicted, outcome: Outcome, code: str) -> str:
    if code not in found.comparable(outcome):
        return ""
    (predicted,), (published,) = found.pairs(outcome, [code])
    return f"{predicted:.{outcome.digits}f} / {published:.{outcome.digits}f}"


def _file_words(found: Predicted) -> Iterator[str]:
    del found
    yield "## The files"
    yield ""
    yield (
        "`--areas` is the file of small areas of [places.md](places.md). `--places` is a CSV with one row for each "
        f"local authority: {', '.join(f'`{name}`' for name in (*NAMES, *ALWAYS_THERE, *COLUMNS))}. "
        f"Deprivation is the mean score of the Indices of Deprivation 2019, `{AGES[0]}` and the like are shares of "
        "residents in mid-2020. A figure of the upper-tier council (`utla_`) is repeated for each district of it. "
        "Life satisfaction is from the Office for National Statistics, loneliness from Sport England's Active Lives "
        "survey, admissions and deprivation from the Ministry of Housing, Communities and Local Government, which "
        "publishes homelessness too, children from the Department for Education, all under the Open Government "
        "Licence v3.0. Admissions are also one of many measures in the deprivation score itself. The model's children "
        "are under 16, published rates are for those under 18. Both files stay outside the project."
    )
