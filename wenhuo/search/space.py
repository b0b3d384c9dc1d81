"""What one parameter may be in a search: choices, whole numbers or real ones. Importing this imports no Optuna."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from wenhuo.settings import Section

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 4
"""Significant digits of a real number that is tried: more change no score, and the best ends up in params.yaml."""


class Choice(Section):
    """One of some values of any kind: numbers, names, null, whole groups such as ``{kind: lora, rank: 8}``."""

    kind: Literal["choice"]
    options: tuple[Any, ...] = Field(min_length=1, description="The values.")

    @model_validator(mode="after")
    def _no_repeats(self) -> Choice:
        if len(set(self._labels())) < len(self.options):
            raise ValueError("a choice stands there twice")
        return self

    def _labels(self) -> list[str]:
        """What Optuna, which keeps no lists or groups, is given in place of the options."""
        return [option if isinstance(option, str) else json.dumps(option, sort_keys=True) for option in self.options]

    def distribution(self) -> BaseDistribution:
        """As Optuna's."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self._labels())

    def value(self, drawn: Any) -> Any:
        """The option behind what Optuna drew."""
        return self.options[self._labels().index(drawn)]

    def drawn(self, value: Any) -> Any:
        """What Optuna would have drawn for a value; None when it is not among the options."""
        return next(
            (label for label, option in zip(self._labels(), self.options, strict=True) if option == value), None
        )

    def extremes(self) -> list[Any]:
        """Values by which the space is checked: all of them."""
        return list(self.options)


class Whole(Section):
    """Whole numbers from ``low`` to ``high``, both included."""

    kind: Literal["int"]
    low: int = Field(description="The smallest.")
    high: int = Field(description="The largest.")
    step: int = Field(1, ge=1, description="From one to the next.")
    log: bool = Field(False, description="Each doubling is as likely as any other; then there is no step.")

    @model_validator(mode="after")
    def _sound(self) -> Whole:
        _check(self.low, self.high, None if self.step == 1 else self.step, self.log)
        return self

    def distribution(self) -> BaseDistribution:
        """As Optuna's."""
        from optuna.distributions import IntDistribution

        return IntDistribution(self.low, self.high, log=self.log, step=self.step)

    def value(self, drawn: Any) -> int:
        """The number itself."""
        return int(drawn)

    def drawn(self, value: Any) -> Any:
        """The number, when the space holds it."""
        inside = type(value) is int and self.low <= value <= self.high and (value - self.low) % self.step == 0
        return value if inside else None

    def extremes(self) -> list[Any]:
        """The ends, and the number after the smallest: a step that does not fit shows there."""
        return sorted({self.low, self.low + self.step, self.high})


class Real(Section):
    """Real numbers from ``low`` to ``high``, both included."""

    kind: Literal["float"]
    low: float = Field(description="The smallest.")
    high: float = Field(description="The largest.")
    step: float | None = Field(None, gt=0, description="From one to the next; null: any number, to four digits.")
    log: bool = Field(False, description="Each doubling is as likely as any other; then there is no step.")

    @model_validator(mode="after")
    def _sound(self) -> Real:
        _check(self.low, self.high, self.step, self.log)
        return self

    def distribution(self) -> BaseDistribution:
        """As Optuna's."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def value(self, drawn: Any) -> float:
        """The number to ``DIGITS`` digits, within the ends."""
        return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)

    def drawn(self, value: Any) -> Any:
        """The number, when the space holds it and rounding does not change it."""
        number = isinstance(value, float | int) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high or self.value(value) != value:
            return None
        on_grid = self.step is None or math.isclose((value - self.low) / self.step % 1 + 0.5, 0.5, abs_tol=1e-9)
        return float(value) if on_grid else None

    def extremes(self) -> list[Any]:
        """The ends and a number between them: one that must be whole shows there."""
        between = self.low + self.step if self.step else math.sqrt(self.low * self.high) if self.log else None
        return [self.low, self.value((self.low + self.high) / 2 if between is None else between), self.high]


def _check(low: float, high: float, step: float | None, log: bool) -> None:
    if not low < high:  # nor NaN
        raise ValueError(f"low ({low}) must be less than high ({high})")
    if log and low <= 0:
        raise ValueError(f"log needs a low above 0, not {low}")
    if log and step is not None:
        raise ValueError("give log or step, not both")
    if step is not None and abs((high - low) / step - round((high - low) / step)) > 1e-9:
        raise ValueError(f"steps of {step} do not lead from {low} to {high}")


def _listed(value: Any) -> Any:
    """``[a, b]`` is short for ``{kind: choice, options: [a, b]}``."""
    if isinstance(value, list | tuple):
        return {"kind": "choice", "options": value}
    if not isinstance(value, dict | Section):
        raise ValueError(f"give a list of choices, or kind: int or float with low and high, not {value!r}")
    return value


AnySpace = Annotated[Choice | Whole | Real, Field(discriminator="kind"), BeforeValidator(_listed)]
