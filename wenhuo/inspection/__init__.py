"""The data report: what a person should know of a data set before training on it, on one page and in the terminal.

- ``findings`` puts the figures of validation, cleaning and audit into sentences, the worst first;
- ``examples`` picks the rows that are shown: near-duplicates, contradictions, suspects;
- ``report`` composes the page;
- ``inspect`` looks at a source without a project: ``wenhuo inspect SOURCE``.
"""
