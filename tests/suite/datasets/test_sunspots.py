import numpy as np

from suite.datasets import sunspots


def test_a_number_for_every_year():
    year, number = sunspots()
    np.testing.assert_array_equal(year, np.arange(1700, 2009))
    assert number.shape == (309,) and (number >= 0).all()
    # Known from any table: the highest year, 1957, and the years without a spot.
    assert year[number.argmax()] == 1957
    np.testing.assert_array_equal(year[number == 0], [1711, 1712, 1810])


def test_the_cycle_takes_eleven_years():
    _, number = sunspots()
    power = np.abs(np.fft.rfft(number - number.mean())) ** 2
    assert 10.5 < len(number) / power.argmax() < 11.5
