"""From a model to the rows it was made of and back, and MLflow's store made again: what DVC and git keep, read."""
