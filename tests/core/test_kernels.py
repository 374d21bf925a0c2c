"""Compiled kernels are kept only while their sources stand, and touch nobody else's cache."""

import os
import shutil
import subprocess
import sys

import numba
import numpy as np
import pytest

from model.core.files import PACKAGE
from model.core.kernels import cache_folder, formula, sources_hash


def test_an_edit_in_any_kernel_file_changes_the_cache(tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert sources_hash(copy) == sources_hash()

    (copy / "core" / "rates.py").write_text((copy / "core" / "rates.py").read_text() + "\n# edited\n")

    assert sources_hash(copy) != sources_hash()


def test_an_edit_elsewhere_keeps_the_cache(tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    (copy / "reporting" / "summary.py").write_text("# edited")

    assert sources_hash(copy) == sources_hash()


@pytest.mark.slow
def test_kernels_are_found_on_disk_and_numba_is_left_as_it_was(tmp_path):
    code = (
        "import numba; before = numba.config.CACHE_DIR;"
        "from model.core.rates import monthly_probability as f; f(1.0);"
        "assert numba.config.CACHE_DIR == before; print(sum(f.stats.cache_hits.values()))"
    )
    environment = {**os.environ, "UPSTREAM_CACHE_DIR": str(tmp_path)}

    hits = [subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) for _ in range(2)]

    assert [int(number) for number in hits] == [0, 1]
    assert (tmp_path / f"kernels-{sources_hash()}").is_dir()


def test_the_cache_bears_the_hash_of_the_sources():
    assert cache_folder().name == f"kernels-{sources_hash()}"
    assert str(cache_folder()) != numba.config.CACHE_DIR


@numba.njit
def _handed_out(array):
    return _itself(array)


@formula
def _itself(array):
    return array


def test_a_formula_that_returns_an_array_is_refused():
    with pytest.raises(TypeError, match=r"formula _itself returns array\(float64, 1d, C\); a formula returns numbers"):
        _handed_out(np.zeros(3))


LIVED_WARM = """
import gc
from numba.core.dispatcher import Dispatcher
from model import CommunityModel, load_scenario
from model.simulation.warming import warm_kernels


def compiled():
    return {(one.py_func, seen) for one in gc.get_objects() if isinstance(one, Dispatcher) for seen in one.signatures}


warm_kernels()
before = compiled()
size = {"place": "sandbeck", "population": 3_000, "burn_in_years": 1, "years": 1}
for name in ("status_quo", "link_workers", "crisis_expansion", "shift_pooled", "teaching/sisa"):
    model = CommunityModel(load_scenario(name).model_copy(update=size), rng=0).branch()
    while model.running:
        model.step()
print(len(before), len(compiled() - before))
"""


@pytest.mark.slow
def test_once_all_are_warm_no_scenario_compiles_another():
    n_warm, n_more = subprocess.check_output([sys.executable, "-c", LIVED_WARM], text=True).split()

    assert int(n_warm) > 20
    assert int(n_more) == 0
