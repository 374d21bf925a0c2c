"""The type of a numeric array; its shape and dtype are documented where it is used."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
