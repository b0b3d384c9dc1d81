"""What came of restoring MLflow's store."""

from __future__ import annotations

from dataclasses import dataclass, field

from wenhuo.console import say


@dataclass
class Restored:
    """What was done: names of what was added, of what was there, and what could not be brought back, with why."""

    added: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def tell(self) -> None:
        """Say it."""
        for name in self.added:
            say(f"restore: {name}")
        for name in self.lost:
            say(f"restore: warning: lost: {name}")
        say(f"restore: {len(self.added)} added, {len(self.there)} were there, {len(self.lost)} cannot be brought back")
