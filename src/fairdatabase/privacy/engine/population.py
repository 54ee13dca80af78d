"""Risk with knowledge of the population: k-map, journalist, marketer, and individual risk.

n is the size of a class in the table, F the number of people in the population with its values. F
is counted in a table of the population, or estimated from how the table was sampled.
"""

import numpy as np

from fairdatabase.privacy.engine.measures import Floats, Integers

EXACT_UP_TO = 20
TERMS = 64
"""Terms of the series below; what is left out is smaller than 2^-64 of the sum."""


def expected_risk(size: Integers, share: Floats) -> Floats:
    """Return E(1/F | n), the individual risk of Benedetti and Franconi (1998).

    F given n is negative binomial with n successes of probability p, the share sampled; then
    r_n = p times the integral from 0 to 1 of v^(n-1) / (p + (1-p) v) dv. For p >= 1/2 or large n
    that is summed as p * sum_j (1-p)^j / (n C(n+j, j)), whose terms are positive and fall fast;
    otherwise r_1 = p/(1-p) ln(1/p) and r_n = p/(1-p) (1/(n-1) - r_(n-1)), which is stable there
    because an error shrinks by p/(1-p) each time.

    Args:
        size: Rows n of each class, at least 1.
        share: Share p of the population in the table, above 0 and at most 1.
    """
    risk = np.empty(size.size)
    series = (share >= 1 / 2) | (size > EXACT_UP_TO)
    risk[series] = _by_series(size[series], share[series])
    risk[~series] = _by_recurrence(size[~series], share[~series])
    return risk


def _by_series(size: Integers, share: Floats) -> Floats:
    term = 1 / size.astype(np.float64)
    total = term.copy()
    for j in range(1, TERMS):
        term = term * (1 - share) * j / (size + j)
        total += term
    return share * total


def _by_recurrence(size: Integers, share: Floats) -> Floats:
    odds = share / (1 - share)
    value = -odds * np.log(share)
    risk = value.copy()
    for n in range(2, int(size.max(initial=1)) + 1):
        value = odds * (1 / (n - 1) - value)
        np.copyto(risk, value, where=size == n)
    return risk
