"""Blends: candidates that make one answer of several others'."""
