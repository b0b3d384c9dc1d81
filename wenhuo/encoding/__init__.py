"""From texts to numbers: n-gram weights for linear models, token ids for transformers. Fitted on train rows only."""
