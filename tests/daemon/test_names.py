import os

from hypothesis import given
from hypothesis import strategies as st

from daemon.names import name_of, path_of


@given(st.binary())
def test_every_path_has_a_name_that_is_text_and_gives_it_back(path: bytes) -> None:
    name = name_of(os.fsdecode(path))
    assert os.fsencode(path_of(name)) == path
    assert name.encode().decode() == name


def test_a_name_that_is_text_stays_as_it_is() -> None:
    assert name_of("2024/Kīlauea/2018-10-28--00.00.HYD24BBpk") == (
        "2024/Kīlauea/2018-10-28--00.00.HYD24BBpk"
    )
