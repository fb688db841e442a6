"""A real time series: how many spots the sun had, year by year."""

from typing import NamedTuple

import numpy as np


class Sunspots(NamedTuple):
    """Years `(309,)`, 1700 to 2008, and the mean number of spots in each `(309,)` (C67)."""

    year: np.ndarray
    number: np.ndarray


def sunspots() -> Sunspots:
    """Yearly sunspot numbers, in the copy that statsmodels ships: nothing is downloaded (C67).

    They rise and fall in cycles of about eleven years, of unequal height and length. The numbers
    are public domain, from NOAA's National Geophysical Data Center.

    Example:
        >>> year, number = sunspots()
        >>> int(year[0]), int(year[-1]), float(number.max())
        (1700, 2008, 190.2)

    Reference:
        Yule 1927, "On a method of investigating periodicities in disturbed series", fitted the
        first autoregressive model to this series.
    """
    from statsmodels.datasets import sunspots as shipped  # brings pandas, and only needed here

    columns = shipped.load_pandas().data
    return Sunspots(columns["YEAR"].to_numpy(int), columns["SUNACTIVITY"].to_numpy(float))
