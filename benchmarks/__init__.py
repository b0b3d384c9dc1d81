"""Figures that anyone can measure again: ``make bench``, or one of them by ``python -m benchmarks.NAME``.

Each runs what a person would otherwise pick beside it, on the same data in the same run, prints a table and writes its
figures and a picture to ``benchmarks/results/``.
"""
