"""Observations become series: each call once, labels bounded, exemplars only of what was kept."""
