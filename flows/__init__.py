"""When and where the graph runs: Prefect flows and deployments.

They read the graph out of DVC and know no stage by name.

``python -m flows.retrain`` runs the graph once, ``python -m flows.deploy`` keeps it running on a schedule,
``python -m flows.lint`` checks ``prefect.yaml`` and ``dvc.yaml``.
"""
