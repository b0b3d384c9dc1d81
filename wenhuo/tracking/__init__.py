"""The only package that talks to MLflow: the store, the runs of candidates, the registry of models.

MLflow is a view of what DVC holds. Runs are found by the key of the stage that made them, so that a stage that runs
again, or goes on after it was killed, continues its own run instead of opening another.
"""
