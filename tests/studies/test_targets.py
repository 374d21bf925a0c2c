"""Published figures: what each is to the fit is said, checked and counted."""

import pytest

from model.core.codes import STATES
from model.core.errors import EvidenceError
from model.reporting.pages.baseline import _follows_table, _opening, _target_table
from model.studies.baseline import YEARS_TOLD, Baseline
from model.studies.targets import TARGETS_FILE, Target, load_targets

TEXT = TARGETS_FILE.read_text(encoding="utf-8")


def measured(**other: float) -> Baseline:
    """Every figure where it was published, but for some."""
    by_year = {f"share_{state}_in_{year}": 1.0 for state in STATES for year in YEARS_TOLD}
    later = {f"still_low_after_{months}": 1.0 for months in (12, 60)}
    figures = {**{name: one.value for name, one in load_targets().items()}, **by_year, **later, **other}
    return Baseline([figures, figures], [], 1_000)


def opening(**other: float) -> str:
    return "\n".join(_opening(measured(**other)))


def names_of(kind: str) -> list[str]:
    return [name for name, target in load_targets().items() if target.kind == kind]


# --- What is said ----------------------------------------------------------------------------


def test_what_the_fitted_shares_add_up_to_is_no_prediction():
    targets = load_targets()
    assert all(targets[f"share_{state}"].fitted for state in STATES if state != "coping")
    assert {targets[name].kind for name in ("share_coping", "share_7_or_more", "life_satisfaction")} == {"follows"}


def test_two_published_figures_of_one_measured_number_are_predicted_once():
    # Without programmes there are no peer ties, so who has no tie beyond kin has no local tie.
    kinds = [load_targets()[name].kind for name in ("no_local_tie", "nobody_to_call_on")]
    assert sorted(kinds) == ["follows", "predicted"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "predicted"', 'kind = "guessed"', "close_ties.kind = 'guessed'.*fitted, follows, predicted"),
        ('kind = "predicted"', "", "close_ties.kind: "),
        ('kind = "predicted"', 'kind = "follows"', "close_ties.*follows_from"),
        ('kind = "fitted"', 'kind = "fitted"\nfollows_from = "it"', "share_thriving.*follows_from"),
        ('kind = "fitted"', "fitted = true", "share_thriving.fitted = True: unknown key"),
        ("value = 9.9", "value = 99.9", "tie_turnover.*99.9 is outside its own range, 8 to 12"),
    ],
)
def test_a_target_that_does_not_say_what_it_is_is_refused(tmp_path, old, new, said):
    assert old in TEXT
    path = tmp_path / "targets.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(EvidenceError, match=rf"targets\.toml: {said}"):
        load_targets(path=path)


@pytest.mark.parametrize(
    ("ends", "is_wide"), [((5.0, 35.0), True), ((1.0, 3.0), True), ((1.0, 2.9), False), ((-0.48, -0.06), True)]
)
def test_a_range_is_wide_where_one_end_is_three_times_the_other(ends, is_wide):
    one = Target(name="a", meaning="b", value=ends[0], range=ends, unit="c", source="d", note="e", kind="predicted")
    assert one.is_wide == is_wide


# --- What is counted -------------------------------------------------------------------------


def test_a_miss_counts_only_among_its_own_kind():
    n = len(names_of("predicted"))
    assert f"{n} of the {n} predicted" in opening()
    assert f"{n - 1} of the {n} predicted" in opening(no_local_tie=99.0)
    assert f"{n} of the {n} predicted" in opening(share_coping=99.0)
    assert f"{n} of the {n} predicted" in opening(share_thriving=99.0)


def test_passing_in_a_wide_range_is_told_apart():
    wide = [name for name in names_of("predicted") if load_targets()[name].is_wide]
    assert f"{len(wide)} of them in a range so wide" in opening()
    assert f"{len(wide) - 1} of them in a range so wide" in opening(close_ties=99.0)


def test_what_follows_stands_apart_with_what_it_follows_from():
    compared, apart = ("\n".join(table(measured())) for table in (_target_table, _follows_table))
    for name in names_of("follows"):
        target = load_targets()[name]
        assert target.meaning not in compared
        assert f"| {target.follows_from} |" in apart
