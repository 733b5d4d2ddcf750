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


LND1, LND2 = Key("LndNode", "bank", "a"), Key("LndNode", "bank", "b")
PLACE: Place = (SECRET, "bank", "x")


def test_who_learns_nothing_new_is_left_alone() -> None:
    index = References()
    index.depends(LND1, {PLACE})
    index.depends(LND2, {PLACE})
    said = {LND1: "as ever", LND2: "1"}
    assert index.dependents(PLACE, said.get) == {LND1, LND2}, "neither has looked"
    index.took(LND1, {PLACE: "as ever"})
    index.took(LND2, {PLACE: "0"})
    assert index.dependents(PLACE, said.get) == {LND2}
    assert index.dependents(PLACE, said.get) == {LND2}, "until it has looked"
    assert index.dependents(PLACE) == {LND1, LND2}, "it is not known what it says"
    index.took(LND1, {})
    assert index.dependents(PLACE, said.get) == {LND1, LND2}, "nobody knows what a look saw that failed"
