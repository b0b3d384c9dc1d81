"""The pretraining of a backbone that ships: one module a stage of ``pretraining/dvc.yaml``, as in ``tasks/``.

A stage is ``python3 -m pretraining STAGE --argument value …``, run in this folder; ``Params`` is its section of
``pretraining/params.yaml``, ``run`` takes the paths that its command gives. Its logic stands in ``wenhuo/pretraining``,
which the graph's own stage `pretrain` uses too, and in ``wenhuo/releasing``.
"""

STAGES = ("texts", "hold_out", "prepare", "pretrain", "pack")
