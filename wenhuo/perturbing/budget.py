"""How much of a text may still be changed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass
class Budget:
    """Characters that may still be changed; the last, broken one by chance.

    So the share of changed characters is the rate on average, for texts of four characters as for those of four
    hundred: with 0.4 of a character left, two texts in five have one changed.
    """

    left: float
    draw: Random

    def allows(self, cost: int) -> bool:
        """Whether a change of so many characters is made; it is paid for either way."""
        allowed = self.left >= cost or self.draw.random() * cost < self.left
        self.left -= cost
        return allowed
