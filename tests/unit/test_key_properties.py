"""Keys of every Spec there is: order does not matter, any change of any field does.

The Spec classes are found by introspection, and a value of each field is made from its type, so a
Spec or a field that is added later is tested without anyone thinking of it.
"""

import dataclasses
import types
import typing
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midway.canonical import canonical_json, digest
from midway.graph.stage import Stage, StageKind
from midway.stages import specs

KIND = StageKind("kind", 1, lambda *_: {})


def inside(kind):
    """A dataclass and all dataclasses in its fields."""
    found = {kind}
    for hint in typing.get_type_hints(kind).values():
        for part in parts_of(hint):
            if dataclasses.is_dataclass(part) and part not in found:
                found |= inside(part)
    return found


def parts_of(hint):
    yield hint
    for argument in typing.get_args(hint):
        if argument is not Ellipsis:
            yield from parts_of(argument)


TOP = sorted(
    (kind for name, kind in vars(specs).items() if name.endswith("Spec")), key=lambda k: k.__name__
)
SPECS = sorted({each for kind in TOP for each in inside(kind)}, key=lambda kind: kind.__name__)
FIELDS = [(kind, field) for kind in SPECS for field in dataclasses.fields(kind)]


def value_of(hint, number):
    """A value of a type; other numbers give other values."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return arguments[number % len(arguments)]
    if origin in (types.UnionType, typing.Union):
        return value_of(next(each for each in arguments if each is not type(None)), number)
    if origin is tuple and arguments[-1] is Ellipsis:
        return tuple(value_of(arguments[0], number + n) for n in range(2))
    if origin is tuple:
        return tuple(value_of(each, number + n) for n, each in enumerate(arguments))
    if origin is dict:
        return {f"k{n}": value_of(arguments[1], number + n) for n in range(2)}
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{f.name: value_of(hints[f.name], number) for f in dataclasses.fields(hint)})
    if hint is bool:
        return bool(number % 2)
    if hint is float:
        return number + 0.25
    if hint is int:
        return number
    assert hint is str, f"no value for a field of type {hint}; add it here"
    return f"text {number}"


def strategy(hint):
    """All values of a type, for hypothesis."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(strategy, arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(strategy(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(strategy, arguments))
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), strategy(arguments[1]), max_size=3)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{name: strategy(each) for name, each in hints.items()})
    return {
        bool: st.booleans(),
        int: st.integers(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(max_size=5),
        type(None): st.none(),
    }[hint]


def key(spec):
    return Stage(KIND, spec).key


def test_every_stage_has_its_spec_here():
    kinds = [name for name, value in vars(specs).items() if isinstance(value, StageKind)]
    assert len(TOP) >= len(kinds)
    assert len(SPECS) > len(TOP)
    assert len(FIELDS) > 60


@pytest.mark.parametrize("kind", SPECS, ids=lambda kind: kind.__name__)
def test_equal_specs_in_any_order_have_equal_keys(kind):
    values = {
        field.name: value_of(hint, 3)
        for field, hint in zip(
            dataclasses.fields(kind),
            (typing.get_type_hints(kind)[f.name] for f in dataclasses.fields(kind)),
            strict=True,
        )
    }
    backwards = {
        name: dict(reversed(value.items())) if isinstance(value, dict) else value
        for name, value in reversed(values.items())
    }
    assert key(kind(**values)) == key(kind(**backwards))


@pytest.mark.parametrize(
    ("kind", "field"), FIELDS, ids=[f"{kind.__name__}.{field.name}" for kind, field in FIELDS]
)
def test_any_change_of_any_field_gives_another_key(kind, field):
    hint = typing.get_type_hints(kind)[field.name]
    base = value_of(kind, 3)
    values = [value_of(hint, number) for number in (4, 5, 6)]
    if type(None) in typing.get_args(hint):
        values.append(None)
    values.append(getattr(base, field.name))
    texts = {canonical_json(value): value for value in values}  # 3 and True may be one
    assert len(texts) > 1, "no two values to compare"
    keys = {key(dataclasses.replace(base, **{field.name: value})) for value in texts.values()}
    assert len(keys) == len(texts)


@pytest.mark.parametrize("kind", SPECS, ids=lambda kind: kind.__name__)
def test_no_two_fields_can_be_mistaken_for_one_another(kind):
    base = value_of(kind, 3)
    hints = typing.get_type_hints(kind)
    for one, other in combinations(dataclasses.fields(kind), 2):
        if hints[one.name] != hints[other.name]:
            continue
        changed = value_of(hints[one.name], 4)
        if canonical_json(changed) == canonical_json(value_of(hints[one.name], 3)):
            continue
        first = dataclasses.replace(base, **{one.name: changed})
        second = dataclasses.replace(base, **{other.name: changed})
        assert key(first) != key(second)


NEUTRAL = [(kind, field) for kind, field in FIELDS if "neutral" in field.metadata]


@pytest.mark.parametrize(
    ("kind", "field"), NEUTRAL, ids=[f"{kind.__name__}.{field.name}" for kind, field in NEUTRAL]
)
def test_a_neutral_value_stays_out_of_the_key_and_any_other_is_in(kind, field):
    neutral = field.metadata["neutral"]
    assert field.default == neutral, "the default must be the neutral value"
    hint = typing.get_type_hints(kind)[field.name]
    spec = dataclasses.replace(value_of(kind, 3), **{field.name: neutral})
    assert f'"{field.name}":' not in canonical_json(spec)
    other = next(value for n in (1, 2) if (value := value_of(hint, n)) != neutral)
    assert f'"{field.name}":' in canonical_json(dataclasses.replace(spec, **{field.name: other}))


def test_fields_without_a_neutral_value_are_always_in():
    for kind in SPECS:
        text = canonical_json(value_of(kind, 3))
        for field in dataclasses.fields(kind):
            assert "neutral" in field.metadata or f'"{field.name}":' in text


@settings(max_examples=30, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("kind", TOP, ids=lambda kind: kind.__name__)
def test_keys_are_equal_exactly_where_texts_are(kind, data):
    one, other = data.draw(strategy(kind)), data.draw(strategy(kind))
    assert (key(one) == key(other)) == (canonical_json(one) == canonical_json(other))
    again = dataclasses.replace(one)
    assert key(again) == key(one) == digest(Stage(KIND, one).identity)


def test_what_is_around_a_spec_is_in_the_key():
    spec, other = value_of(specs.ScoreSpec, 1), value_of(specs.ScoreSpec, 2)
    read, also = Stage(KIND, spec), Stage(KIND, other)
    stages = [
        *(read, also, Stage(StageKind("kind", 2, KIND.run), spec)),
        *(Stage(StageKind("other", 1, KIND.run), spec), Stage(KIND, spec, {"a": read})),
        *(Stage(KIND, spec, {"a": also}), Stage(KIND, spec, {"b": read})),
        *(Stage(KIND, spec, {"a": read, "b": also}), Stage(KIND, spec, {"a": also, "b": read})),
    ]
    assert len({stage.key for stage in stages}) == len(stages)
    there = Stage(KIND, spec, {"a": read, "b": also})
    back = Stage(KIND, spec, {"b": also, "a": read}, label="called otherwise")
    assert there.key == back.key
