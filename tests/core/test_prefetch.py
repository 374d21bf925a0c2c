"""Rows asked for ahead: nothing but speed may depend on them."""

import numba
import numpy as np
import pytest

from model.core.prefetch import fetch_soon


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
