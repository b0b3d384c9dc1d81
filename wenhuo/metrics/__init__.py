"""How good a classifier is: figures with intervals, curves, calibration, pictures and tables.

Everything here takes arrays of true classes and probabilities; it knows neither models nor stages.
"""
