from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from daemon.evidence.retention import Kept, Limits, rule

_DAY_S = 86_400.0
_MANY = Limits(keep_days=1e4, keep_bytes=1e12, min_free_bytes=100.0)


def _clip(k: int, size: int = 10) -> Kept:
    return Kept(f"{k:016x}", "clip", 1000.0 * k, size)


def _picture(k: int, size: int = 10) -> Kept:
    return Kept(f"{k:016x}", "picture", 1000.0 * k, size)


def test_with_room_nothing_goes_and_everything_may_be_made() -> None:
    ruling = rule([_clip(1), _picture(1)], 1e9, _MANY)
    assert (ruling.remove, ruling.make) == ((), ("clip", "picture"))


def test_short_of_room_pictures_go_first_then_clips_each_the_oldest_first() -> None:
    kept = [_clip(2), _picture(2), _clip(1), _picture(1)]
    removed = {free: rule(kept, free, _MANY).remove for free in (95, 85, 75, 65, 0)}
    order = (_picture(1), _picture(2), _clip(1), _clip(2))
    assert removed == {95: order[:1], 85: order[:2], 75: order[:3], 65: order, 0: order}


def test_new_pictures_stop_before_new_clips_and_both_come_back() -> None:
    makes = [rule([], free, _MANY).make for free in (99, 100, 109, 111)]
    assert makes == [(), ("clip",), ("clip",), ("clip", "picture")]


def test_what_room_is_made_counts() -> None:
    assert rule([_picture(1, 51)], 60, _MANY).make == ("clip", "picture")
    assert rule([_picture(1, 40)], 60, _MANY).make == ("clip",)


def test_what_is_older_than_its_days_before_the_newest_goes() -> None:
    old, new = Kept("a", "clip", 0.0, 1), Kept("b", "clip", 2 * _DAY_S, 1)
    assert rule([new, old], 1e9, Limits(1.5, 1e9, 0)).remove == (old,)
    assert rule([new, old], 1e9, Limits(2.5, 1e9, 0)).remove == ()


def test_over_its_share_of_the_disk_the_oldest_goes_whatever_it_is() -> None:
    kept = [_clip(1), _picture(2), _clip(3)]
    assert rule(kept, 1e9, Limits(1e4, 15, 0)).remove == (_clip(1), _picture(2))


_PIECES = st.lists(
    st.builds(
        Kept,
        st.uuids().map(str),
        st.sampled_from(["clip", "picture"]),
        st.floats(0, 1e9),
        st.integers(0, 100),
        st.booleans(),
    ),
    unique=True,
)


@given(_PIECES, st.integers(0, 1000))
def test_the_limits_hold_and_no_piece_goes_twice(kept: list[Kept], free: int) -> None:
    gone = rule(kept, free, Limits(keep_days=1e3, keep_bytes=700, min_free_bytes=300)).remove
    left = {*kept} - {*gone}
    assert len({*gone}) == len(gone) == len(kept) - len(left)
    assert sum(piece.size_bytes for piece in left) <= 700
    assert not left or free + sum(piece.size_bytes for piece in gone) >= 300


@given(_PIECES, st.integers(0, 1000))
def test_no_clip_goes_for_room_while_there_is_a_picture(kept: list[Kept], free: int) -> None:
    gone = rule(kept, free, Limits(keep_days=1e9, keep_bytes=1e9, min_free_bytes=300)).remove
    left = {*kept} - {*gone}
    for confirmed in (False, True):
        clips = [p for p in gone if p.kind == "clip" and p.confirmed == confirmed]
        assert not clips or all(p.kind == "clip" for p in left if p.confirmed == confirmed)
    assert sum(piece.size_bytes for piece in gone[:-1]) < max(300 - free, 1)


@given(_PIECES, st.integers(0, 1000))
def test_nothing_confirmed_goes_while_there_is_anything_else(kept: list[Kept], free: int) -> None:
    gone = rule(kept, free, Limits(keep_days=1e3, keep_bytes=700, min_free_bytes=300)).remove
    left = {*kept} - {*gone}
    assert not any(piece.confirmed for piece in gone) or all(piece.confirmed for piece in left)


def test_what_was_confirmed_does_not_grow_too_old_and_goes_last_in_the_same_order() -> None:
    old = Kept("a", "clip", 0.0, 10, confirmed=True)
    assert rule([old, _clip(9)], 1e9, Limits(0.0, 1e9, 0)).remove == ()
    kept = [_clip(4), _picture(4), *(replace(p, confirmed=True) for p in (_clip(1), _picture(2)))]
    order = (kept[1], kept[0], kept[3], kept[2])
    removed = {free: rule(kept, free, _MANY).remove for free in (95, 85, 75, 0)}
    assert removed == {95: order[:1], 85: order[:2], 75: order[:3], 0: order}
