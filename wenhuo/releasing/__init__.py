"""From text to a backbone that ships: what is held out of the text, and the pretrained network packed with its card.

- ``holding_out`` leaves the lines of evaluation sets out of the text that a backbone is pretrained on;
- ``packing`` stores a pretrained network in half precision; ``card`` says what it is and what it was made of.

The pipeline that calls them stands in ``pretraining/``.
"""
