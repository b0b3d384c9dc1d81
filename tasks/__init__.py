"""The stages: one module each, files in and files out.

A stage's module has the name it bears in ``dvc.yaml`` and in ``params.yaml`` and holds

- ``Params``, the frozen model of its section, each field with a sentence on what it does;
- ``run(params, *, …)``, whose keyword-only arguments are the paths (and, where the stage has instances, the ``name``)
  that its command in ``dvc.yaml`` gives.

Modules import only what is light at the top and the library inside ``run``: ``python -m tasks`` reads the parameters
of every stage before it starts one, so that all mistakes are reported together, and that must not import torch.
"""

STAGES = (
    "source",
    "ingest",
    "validate",
    "clean",
    "split",
    "audit",
    "describe",
    "texts",
    "pretrain",
    "encode",
    "train",
    "blend",
    "evaluate",
    "register",
)
"""The order is the one in which a person meets them; the graph itself is in dvc.yaml."""
