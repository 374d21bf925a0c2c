"""What kernels ask of the processor: nothing but speed may depend on it."""

import numba
import numpy as np
import pytest

from model.core.processor import WIDEST_BITS, fetch_soon, use_widest_vectors


@numba.njit
def _ask_for(values, rows):
    for row in rows:
        fetch_soon(values, row)


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
@pytest.mark.parametrize("dtype", ["int8", "int32", "float32", "float64"])
@pytest.mark.parametrize("row_dtype", ["int32", "int64", "uint16"])
def test_asking_for_rows_leaves_them_as_they_are(shape, dtype, row_dtype):
    values = (np.arange(np.prod(shape)) % 100).reshape(shape).astype(dtype)
    before = values.copy()
    _ask_for(values, np.arange(50).astype(row_dtype))
    assert np.array_equal(values, before)


def test_the_processor_is_asked_and_not_only_the_compiler():
    _ask_for(np.zeros((4, 3), np.int32), np.arange(4))
    assert all("call void @llvm.prefetch" in text for text in _ask_for.inspect_llvm().values())


@numba.njit
def _cubes(values, cubes):
    use_widest_vectors()
    for k in range(values.size):
        cubes[k] = values[k] * values[k] * values[k]


@pytest.mark.parametrize("n", [0, 1, 7, 16, 333])
def test_wide_vectors_compute_the_same(n):
    values, cubes = np.random.default_rng(1).normal(size=n).astype(np.float32), np.empty(n, np.float32)
    _cubes(values, cubes)
    assert np.array_equal(cubes, values * values * values)


def test_wide_vectors_are_asked_for():
    _cubes(np.zeros(3, np.float32), np.zeros(3, np.float32))
    assert all(f'"prefer-vector-width"="{WIDEST_BITS}"' in text for text in _cubes.inspect_llvm().values())
