"""Individual risk against the sum over the population that it stands for."""

import math

import numpy as np
import pytest

from fairdatabase.privacy.engine.population import expected_risk


def summed(n: int, p: float) -> float:
    """E(1/F) for a negative binomial F >= n, term by term."""
    term, total, f = p**n, 0.0, n
    while term / f > 1e-18 or f < n / p:
        total += term / f
        term *= (1 - p) * f / (f - n + 1)
        f += 1
    return total


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 21, 40])
@pytest.mark.parametrize("p", [0.03, 0.1, 0.3, 0.49, 0.5, 0.51, 0.9, 1.0])
def test_expected_risk_equals_the_sum(n: int, p: float) -> None:
    (risk,) = expected_risk(np.array([n]), np.array([p]))
    assert risk == pytest.approx(summed(n, p), rel=1e-9)


def test_the_known_formulas_of_small_classes() -> None:
    """Benedetti and Franconi's closed forms for one and two rows."""
    p = 0.2
    odds = p / (1 - p)
    one, two = expected_risk(np.array([1, 2]), np.array([p, p]))
    assert one == pytest.approx(odds * math.log(1 / p))
    assert two == pytest.approx(odds - odds**2 * math.log(1 / p))


def test_many_classes_at_once_equal_each_alone() -> None:
    sizes = np.array([1, 50, 2, 19, 20, 21, 3])
    shares = np.array([0.5, 0.001, 0.7, 0.01, 0.4, 0.4, 1.0])
    alone = [float(expected_risk(sizes[[i]], shares[[i]])[0]) for i in range(sizes.size)]
    assert expected_risk(sizes, shares).tolist() == pytest.approx(alone, rel=1e-12)


def test_no_classes() -> None:
    assert expected_risk(np.array([], dtype=np.int64), np.array([])).size == 0
