"""The one name for an array of numbers whose shape and type its place of use tells."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
