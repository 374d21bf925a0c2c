# What the project uses of Mesa, typed, so that mypy sees every attribute of its subclasses.
import random
from typing import Any

import numpy as np
from mesa.agent import Agent as Agent

class Model:
    running: bool
    steps: int
    random: random.Random
    rng: np.random.Generator
    def __init__(self, *, rng: int | None = None) -> None: ...
    def step(self) -> None: ...
    def _wrapped_step(self) -> None: ...
    def _advance_time(self, until: float) -> None: ...  # Mesa from 3.5 on
    @property
    def agents(self) -> Any: ...
