"""Why a model says what it says: the weight of each character, and the train rows most like a text."""
