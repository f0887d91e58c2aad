"""What is said is plain text, whatever it was made of."""

from __future__ import annotations

import pytest

from daemon.errors import plain


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/données/a b", "/données/a b"),
        ("a\nb", "a\\nb"),
        ("a\udce9", "a\\xe9"),  # a name that is no UTF-8, as Python gives it
        ("a\ud83c", "a\\ud83c"),  # lone surrogates, as one flipped bit in a JSON leaves them
        ("\udf89a é", "\\udf89a é"),
        ("\ud83c\udce9", "\\ud83c\\udce9"),
    ],
)
def test_any_text_is_plain(text: str, wanted: str) -> None:
    assert plain(text) == wanted
    assert plain(text).encode("utf-8")
