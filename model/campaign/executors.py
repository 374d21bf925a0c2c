"""Executors: where tasks are lived. Every one gives the same results, to the bit, and only the parent writes them."""

import contextlib
import logging
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures import Executor as Pool
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from model.campaign.keys import run_key
from model.campaign.settled_places import made_by
from model.campaign.workers import (
    SECONDS_BETWEEN_LOOKS,
    TRIES,
    Lived,
    OnLived,
    OnMonths,
    Processes,
    Task,
    failure,
    live_here,
    live_task,
)
from model.core.errors import InputError, ScenarioError
from model.core.files import TextFile
from model.core.own_code import LOADED, described
from model.extend import run_own_code
from model.simulation.processes import interrupts_put_off, starting_processes
from model.simulation.warming import warm_kernels

EXECUTORS = ("processes", "dask", "mpi")

SECONDS_TO_ANSWER = 10
"""How long a cluster may take to answer."""

MOST_SUBMITTED = 500
"""Tasks with a cluster at one time: enough for many workers, few enough to cancel at once."""

MOST_SHOWN = 3

MPI_COMMAND = "mpiexec -n 3 python -m mpi4py.futures -m model run --executor mpi"


@dataclass(frozen=True)
class Executor:
    """Where tasks are lived.

    Parameters
    ----------
    name : str
        ``processes`` on this machine, ``dask`` for workers of Dask, or ``mpi`` for those that mpiexec started.
    address : str, optional
        Of a Dask scheduler; without it Dask starts workers on this machine.

    Raises
    ------
    ScenarioError
        When there is no such executor, or it takes no address.

    Examples
    --------
    >>> Executor().has_own_workers, Executor("dask", "tcp://10.0.0.1:8786").has_own_workers
    (False, True)
    """

    name: str = "processes"
    address: str | None = None

    def __post_init__(self) -> None:
        if self.name not in EXECUTORS:
            named: dict[str, Any] = {"known": EXECUTORS, "wanted": str(self.name), "allowed": ", ".join(EXECUTORS)}
            raise ScenarioError("is no executor", key="--executor", value=self.name, **named)
        if self.address is not None and self.name != "dask":
            raise ScenarioError("needs --executor dask", key="--address", value=self.address)

    @property
    def has_own_workers(self) -> bool:
        """Whether its workers are there already, so that no number of them is asked for."""
        return self.name == "mpi" or self.address is not None


@dataclass(frozen=True)
class Workers:
    """Workers that are ready: how many, and the function that has them live tasks."""

    n: int
    live: Callable[[Sequence[Task], OnLived, OnMonths], None]


@contextlib.contextmanager
def opened(executor: Executor, jobs: int) -> Iterator[Workers]:
    """Start an executor, and end it.

    Parameters
    ----------
    executor : Executor
        Which.
    jobs : int
        Number of workers to start; of those that are there already, all are used.

    Raises
    ------
    ScenarioError
        When what it needs is not installed, or a cluster does not answer.
    """
    open_one = {"processes": _processes, "dask": _dask, "mpi": _mpi}[executor.name]
    with open_one(executor, jobs) as workers:
        yield workers


@contextlib.contextmanager
def _processes(executor: Executor, jobs: int) -> Iterator[Workers]:
    del executor
    with Processes(jobs) as processes:
        yield Workers(jobs, partial(_live_on_this_machine, processes))


def _live_on_this_machine(processes: Processes, tasks: Sequence[Task], on_lived: OnLived, on_months: OnMonths) -> None:
    if min(processes.most, len(tasks)) > 1:
        processes.live(tasks, on_lived, on_months)
    else:
        live_here(tasks, on_lived, on_months)


# --- Dask ---


@contextlib.contextmanager
def _dask(executor: Executor, jobs: int) -> Iterator[Workers]:
    dask = _extra("distributed", "dask", executor)
    with _local_client(dask, jobs) if executor.address is None else _client_at(dask, executor.address) as client:
        for name in ("distributed", "distributed.client"):  # what goes wrong is said once, by an error
            logging.getLogger(name).setLevel(logging.CRITICAL)
        pool = client.get_executor(pure=False)
        try:
            yield Workers(len(client.scheduler_info(n_workers=-1)["workers"]), partial(live_with, pool))
        except Exception as error:
            if client.status == "running" and not isinstance(error, CancelledError):
                raise
            problem = "lost its cluster. Runs that were finished are kept, and upstream resume runs the rest"
            raise ScenarioError(problem, key="--executor", value="dask") from error
        finally:
            with contextlib.suppress(Exception):  # of a cluster that was lost, nothing is to be ended
                pool.shutdown(wait=False)


@contextlib.contextmanager
def _local_client(dask: Any, jobs: int) -> Iterator[Any]:
    """Start workers of Dask on this machine, which nothing outside it reaches."""
    with contextlib.ExitStack() as stack:
        settings = import_module("dask.config")
        stack.enter_context(settings.set({"distributed.scheduler.allowed-failures": TRIES - 1}))
        with starting_processes():
            cluster = dask.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # with None it takes a port that another campaign may have
                memory_limit=None,
                silence_logs="CRITICAL",
            )
            stack.enter_context(cluster)
        yield stack.enter_context(dask.Client(cluster))


@contextlib.contextmanager
def _client_at(dask: Any, address: str) -> Iterator[Any]:
    try:
        client = dask.Client(address, timeout=SECONDS_TO_ANSWER)
    except Exception as error:  # what listens there may be another programme, whose words Dask cannot read
        raise _no_use(address, "no Dask scheduler answers there", "the address that dask scheduler prints") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError as error:
            raise _no_use(address, "this cluster has no workers", f"one or more: dask worker {address}") from error
        _require_alike(client, address)
        yield client


def _require_alike(client: Any, address: str) -> None:
    """Refuse a cluster whose workers have other code, data or libraries than this process."""
    allowed = "workers with the same version of everything, installed from the same files"
    try:
        found = client.run(made_by)
    except Exception as error:
        raise _no_use(address, f"its workers cannot load this model ({described(error)})", allowed) from error
    for worker, theirs in found.items():
        ours = made_by()
        others = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if others:
            raise _no_use(address, f"worker {worker} has another {', '.join(others[:MOST_SHOWN])}", allowed)


def _no_use(address: str, problem: str, allowed: str) -> ScenarioError:
    return ScenarioError(problem, key="--address", value=address, allowed=allowed)


# --- MPI ---


@contextlib.contextmanager
def _mpi(executor: Executor, jobs: int) -> Iterator[Workers]:
    del jobs
    futures = _extra("mpi4py.futures", "mpi", executor)
    if "mpi4py.futures" not in sys.orig_argv or _world_size() == 1:
        problem = "has no workers: they are those that mpiexec starts"
        raise ScenarioError(problem, key="--executor", value="mpi", allowed=MPI_COMMAND)
    pool = futures.MPIPoolExecutor()
    try:
        yield Workers(pool.num_workers, partial(live_with, pool))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _world_size() -> int:
    size: int = import_module("mpi4py.MPI").COMM_WORLD.Get_size()
    return size


def _extra(module: str, extra: str, executor: Executor) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        problem = f"needs {error.name}, which is not installed"
        allowed = f'after pip install "upstream-abm[{extra}]"'
        raise ScenarioError(problem, key="--executor", value=executor.name, allowed=allowed) from None
    except (ImportError, RuntimeError) as error:  # mpi4py is there, and no library of MPI
        problem = f"cannot be loaded ({str(error).splitlines()[0]})"
        allowed = "with an MPI library: openmpi-bin of Debian, say"
        raise ScenarioError(problem, key="--executor", value=executor.name, allowed=allowed) from None


# --- Any executor of concurrent.futures ---


def live_with(pool: Pool, tasks: Sequence[Task], on_lived: OnLived, on_months: OnMonths) -> None:
    """Live all tasks in an executor whose workers may be on other machines.

    A task that fails as a whole, because its worker was killed say, is tried again run by run, so that only the
    run to blame is given up.

    Parameters
    ----------
    pool : concurrent.futures.Executor
        What tasks are submitted to.
    tasks : sequence of Task
        What to live.
    on_lived, on_months : callable
        As for `Processes`; months are told as tasks end.
    """
    warm_kernels()
    left, own_code = deque(tasks), dict(LOADED)
    pending: dict[Future[list[Lived]], Task] = {}
    try:
        with interrupts_put_off() as stop_if_asked:  # in the midst of waiting, a lock of a future would stay closed
            while left or pending:
                while left and len(pending) < MOST_SUBMITTED:
                    task = left.popleft()
                    pending[pool.submit(_live_far_off, pickle.dumps(task), own_code)] = task
                for future in wait(pending, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done:
                    left.extend(_taken(future, pending[future], on_lived, on_months))
                    del pending[future]
                stop_if_asked()
    except BaseException:  # Ctrl-C, or a full disk: nothing more is begun
        _keep_what_has_begun(list(pending), on_lived)
        raise


def _taken(future: Future[list[Lived]], task: Task, on_lived: OnLived, on_months: OnMonths) -> list[Task]:
    """Keep what a task came to, and return what is to be tried again."""
    error = future.exception()
    if error is not None and len(task.runs) > 1:
        return [replace(task, runs=(run,)) for run in task.runs]
    (run, *_) = task.runs
    on_lived([Lived(run.number, failure(run, described(error)))] if error else future.result())
    on_months(task.months)
    return []


def _keep_what_has_begun(pending: Sequence[Future[list[Lived]]], on_lived: OnLived) -> None:
    begun = [future for future in pending if not future.cancel()]
    for future in wait(begun).done:
        if not future.cancelled() and not future.exception():
            on_lived(future.result())


_one_at_a_time = threading.Lock()
"""A worker of Dask may have several threads; what is settled and loaded belongs to the process."""


def _live_far_off(packed: bytes, own_code: Mapping[Path, TextFile]) -> list[Lived]:
    """Live a task in a worker of any kind.

    The task comes packed, as it may hold classes of the user's own code, which is to be loaded first.
    """
    with _one_at_a_time:
        for path, code in own_code.items():
            run_own_code(path, code)
        task: Task = pickle.loads(packed)  # noqa: S301 - packed by the parent
        if any(run.key != run_key(run) for run in task.runs):
            allowed = "one started anew, with what the command has"
            raise InputError("this worker has other code, data, libraries or own code", allowed=allowed)
        return list(live_task(task, lambda: None))
