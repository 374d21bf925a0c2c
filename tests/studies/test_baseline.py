"""The baseline's measurements: rates and ratios of service tables made by hand."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from model.reporting.pages.baseline import _place_table, _told
from model.studies.baseline import Baseline, published_of_wigan, service_rates


def rates(most_deprived: int, least_deprived: int) -> dict[str, float]:
    """Contacts of two fifths of 1,000 people each, all aged 65 to 74, in one year."""
    table = pa.table(
        {
            "year": [1, 1],
            "service": ["a_and_e"] * 2,
            "quintile": [1, 5],
            "age_band": ["65-74"] * 2,
            "demand": [most_deprived, least_deprived],
            "stock_months": [0, 0],
            "base_population": [1_000, 1_000],
        }
    )
    return service_rates(SimpleNamespace(recorder=SimpleNamespace(tables=lambda: {"services": table})), 1, 1)


def test_rates_ratios_and_shares_of_a_table_by_hand():
    found = rates(30, 10)
    assert found["a_and_e_rate"] == pytest.approx(20.0)
    assert found["a_and_e_deprivation_ratio"] == pytest.approx(3.0)
    assert found["a_and_e_share_65_plus"] == pytest.approx(100.0)


def test_ratio_to_a_fifth_without_contacts_is_not_known_and_the_page_says_so():
    found = rates(30, 0)
    assert np.isnan(found["a_and_e_deprivation_ratio"])
    assert np.isnan(rates(0, 0)["a_and_e_share_65_plus"])
    assert _told(Baseline([found, found], [], 2_000), "a_and_e_deprivation_ratio", 2) == "too few runs to tell"


def test_the_page_says_where_the_model_has_wigan_on_the_other_side_of_england():
    published = published_of_wigan()
    england = {one.measured: one.england for one in published}
    wigan = {one.measured: one.value for one in published}
    mirrored = {**wigan, published[0].measured: 2 * published[0].england - published[0].value}
    n = len(published)

    for measured, told in ((wigan, f"**In {n} of {n} figures"), (mirrored, f"**In {n - 1} of {n} figures")):
        (words,) = (line for line in _place_table(Baseline([england] * 2, [measured] * 2, 1)) if line.startswith("**"))
        assert words.startswith(told)
        assert words.endswith(published[0].meaning + ".") == (measured is mirrored)
