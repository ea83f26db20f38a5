"""Consistent probability sampling: thresholds that every stage of a pipeline compares with the same randomness."""

from fractions import Fraction
from math import floor
from typing import Final

from spansieve.tracestate import NEVER

PRECISION: Final = 4
"""Significant hexadecimal digits of a threshold: what OpenTelemetry recommends, and the Collector's default."""

_DIGITS = 14


def rejection_threshold(percentage: float, precision: int = PRECISION) -> int:
    """T for a percentage of traces to keep: 100 is 0, and what is below half of 2^-56 keeps nothing (NEVER).

    T = (1 - percentage / 100) * 2^56, rounded to `precision` hexadecimal digits after the leading ones that are `f`,
    computed with integers from the decimal that the operator wrote. What is decided with is what `th` says, to the bit.
    Source: OpenTelemetry specification/trace/tracestate-probability-sampling.md, «Converting floating-point
    probability to threshold value», whose table is among the tests.
    Raises ValueError for what is not from 0 to 100.
    """
    if not 0 <= percentage <= 100:
        raise ValueError(f"a percentage is from 0 to 100: {percentage}")
    return _rounded(Fraction(str(percentage)) / 100, precision)


def threshold_of_rate(rate: float, precision: int = PRECISION) -> int:
    """T for keeping one in `rate`, which is 1 or more."""
    if rate < 1:
        raise ValueError(f"a rate is 1 or more: {rate}")
    return _rounded(1 / Fraction(rate), precision)


def _rounded(probability: Fraction, precision: int) -> int:
    if not probability:
        return NEVER
    leading = 0
    while leading < _DIGITS and probability * 16 ** (leading + 1) < 1:
        leading += 1
    unit = 16 ** max(0, _DIGITS - precision - leading)
    rounded: int = floor((1 - probability) * NEVER / unit + Fraction(1, 2)) * unit
    if rounded < NEVER:
        return rounded
    return NEVER - unit if probability * NEVER * 2 >= 1 else NEVER
