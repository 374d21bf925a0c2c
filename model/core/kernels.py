"""Compile kernels with numba, and reuse compiled code only while the sources are unchanged.

numba's own cache notices an edit in the file of a kernel, but not in a file that kernel
imports a function from. So the cache folder carries a hash of the sources.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.typed_passes import NopythonTypeInference

from model.core.cache import private_folder, spare_cache_folder, user_cache_folder
from model.core.errors import InputError
from model.core.files import PACKAGE

Function = TypeVar("Function", bound=Callable[..., Any])

WITH_KERNELS = ("core", "inputs", "tables", "state", "rules", "network.py")
"""Folders and files of the package that a kernel may depend on: the layers up to the rules."""

if numba.config.DISABLE_JIT:
    raise InputError(
        "kernels run compiled alone",
        key="NUMBA_DISABLE_JIT",
        value=numba.config.DISABLE_JIT,
        allowed="this variable not set; to read a formula step by step, model.core.kernels.uncompiled(formula)",
    )


def sources_hash(package: Path = PACKAGE, layers: Sequence[str] = WITH_KERNELS) -> str:
    """Return a hash of every source file in some layers: by default, those that kernels may depend on.

    Constants count too, since a kernel freezes those it reads.

    Examples
    --------
    >>> len(sources_hash())
    16
    """
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package)
        if where.parts[0] in layers:
            digest.update(where.as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def cache_folder() -> Path:
    """Return the folder of compiled kernels: in the user's cache, or in a temporary one."""
    name = f"kernels-{sources_hash()}"
    found = (private_folder(root / name) for root in (user_cache_folder(), spare_cache_folder()))
    return next((folder for folder in found if folder), None) or Path(tempfile.mkdtemp(prefix="upstream-abm-"))


@contextlib.contextmanager
def _numba_cache_in(folder: Path) -> Iterator[None]:
    # numba reads this setting when a cached function is declared, so it is ours only that long.
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def kernel(function: Function) -> Function:
    """Compile a function over arrays: single-threaded, cached, floating point as written.

    Parallelism is over runs, so that the same seed gives the same bits on any number of
    workers.
    """
    with _numba_cache_in(cache_folder()):
        return cast(Function, numba.njit(cache=True, error_model="numpy")(function))


@register_pass(mutates_CFG=False, analysis_only=True)
class _ReturnsNoArray(AnalysisPass):  # type: ignore[misc]
    # An array that is handed out uncounted is freed while it is in use.
    _name = "returns_no_array"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        if "array" in str(state.return_type):
            raise TypeError(f"formula {state.func_id.func_name} returns {state.return_type}; a formula returns numbers")
        return False


class _FormulaCompiler(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_ReturnsNoArray, NopythonTypeInference)
        passes.finalize()
        return [passes]


def formula(function: Function) -> Function:
    """Compile a function of single numbers, inlined wherever a kernel calls it.

    Once inlined, the compiler can process many residents at once. It reads arrays, but makes and returns none:
    their references, counted for each resident, would cost more than the formula. One that returns an array is
    refused when it is compiled. The Python function stays available through `uncompiled`.
    """
    options = {"cache": True, "error_model": "numpy", "forceinline": True, "_nrt": False}
    with _numba_cache_in(cache_folder()):
        return cast(Function, numba.njit(pipeline_class=_FormulaCompiler, **options)(function))


def uncompiled(function: Function) -> Function:
    """Return the Python function behind a formula, to run and read line by line."""
    return cast(Function, getattr(function, "py_func", function))
