"""The model card: what is known of a registered version, gathered once and told as Markdown and as a page.

``gathering`` reads what the graph, git and the gate left; the modules that end in what a part is about (``data``,
``training``, ``judged``, ``hardship``, ``limits``, …) turn it into parts of ``content``; ``markdown`` and ``page`` show
the same parts; ``making`` writes them.
"""
