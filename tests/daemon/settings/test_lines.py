from daemon.settings.lines import lines_of


def test_each_table_and_key_has_its_line() -> None:
    text = "top = 1\n# a = 1\n[one]\n  a=2\nb.c = 3\n\n[ two ] # x = 1\na = [\n 1]\n[[three]]\n"
    assert lines_of(text) == {
        "top": 1, "one": 3, "one.a": 4, "one.b.c": 5, "two": 7, "two.a": 8
    }  # fmt: skip
