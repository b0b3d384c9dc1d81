"""What one parameter may be: rounded, within its ends, checked when it is declared."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wenhuo.search.space import AnySpace, Choice, Real, Whole

ANY = TypeAdapter(AnySpace)


def test_a_list_is_short_for_choices_of_any_kind():
    space = ANY.validate_python(["mean", None, 3, {"kind": "cnn", "widths": [2, 3]}])
    assert isinstance(space, Choice)
    drawn = space.distribution().choices
    assert [space.value(label) for label in drawn] == ["mean", None, 3, {"kind": "cnn", "widths": [2, 3]}]
    assert space.drawn({"kind": "cnn", "widths": [2, 3]}) == drawn[3]
    assert space.drawn("max") is None


@given(st.floats(1e-8, 1e6), st.floats(1e-8, 1e6), st.floats(0, 1), st.booleans())
def test_a_real_number_has_few_digits_stays_within_its_ends_and_is_drawn_again_as_it_is(one, other, share, log):
    low, high = sorted((one, other))
    assume(low < high)
    space = Real(kind="float", low=low, high=high, log=log)
    value = space.value(low + share * (high - low))
    assert low <= value <= high
    assert value in (low, high) or float(f"{value:.4g}") == value
    assert space.value(value) == value
    assert space.distribution()._contains(value)
    assert space.drawn(value) == value


def test_steps_give_numbers_without_noise():
    space = Real(kind="float", low=0.0, high=0.4, step=0.1)
    assert space.value(0.30000000000000004) == 0.3
    assert space.drawn(0.2) == 0.2
    assert space.drawn(0.25) is None
    assert Whole(kind="int", low=16, high=64, step=8).drawn(20) is None
    assert Whole(kind="int", low=16, high=64, step=8).drawn(24) == 24
    assert Whole(kind="int", low=1, high=2).drawn(True) is None


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"kind": "float", "low": 2, "high": 1}, "must be less than high"),
        ({"kind": "float", "low": 0, "high": 1, "log": True}, "log needs a low above 0"),
        ({"kind": "float", "low": 0.1, "high": 1, "log": True, "step": 0.1}, "not both"),
        ({"kind": "int", "low": 1, "high": 10, "step": 4}, "do not lead from 1 to 10"),
        ({"kind": "float", "low": 0, "high": math.nan}, "must be less than high"),
        ({"kind": "real", "low": 0, "high": 1}, "'choice', 'int', 'float'"),
        ({"kind": "int", "low": 0, "hihg": 1}, "hihg"),
        (["a", "b", "a"], "twice"),
        ([], "at least 1 item"),
        (0.5, "give a list of choices"),
    ],
)
def test_mistakes_in_a_space(declared, said):
    with pytest.raises(ValidationError, match=said):
        ANY.validate_python(declared)
