from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.objects import SECRET, Key
from bankstack.engine.references import Place, References

KEYS = st.sampled_from([Key("LndNode", "bank", name) for name in "abc"])
PLACES = st.sampled_from([(SECRET, "bank", name) for name in "xyz"])


@given(st.lists(st.tuples(KEYS, st.frozensets(PLACES)), max_size=30))
def test_both_directions_always_say_the_same(changes: list[tuple[Key, frozenset[Place]]]) -> None:
    index = References()
    wanted: dict[Key, frozenset[Place]] = {}
    for key, places in changes:
        index.depends(key, places)
        wanted[key] = places
        for place in ((SECRET, "bank", name) for name in "xyz"):
            assert index.dependents(place) == {who for who, what in wanted.items() if place in what}
