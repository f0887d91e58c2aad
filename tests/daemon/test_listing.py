import os
from pathlib import Path

import pytest

from acoio.errors import NotReadyError
from daemon.listing import glance, scan


def test_the_scan_finds_files_at_any_depth_and_follows_no_link(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    (drop / "2018" / "10").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (drop / "2018" / "10" / "a").write_bytes(b"12345")
    (drop / "link").symlink_to(tmp_path / "outside")
    (drop / "loop").symlink_to(drop)
    Path(os.fsdecode(bytes(drop) + b"/\xff\xfe")).touch()
    found = {seen.name: seen for seen in scan(drop)}
    assert found.keys() == {"2018/10/a", "link", "loop"}
    assert (found["2018/10/a"].size, found["2018/10/a"].regular) == (5, True)
    assert not found["link"].regular


def test_a_drop_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        scan(tmp_path / "none")


def test_a_glance_shows_only_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    file, link = glance(tmp_path, ["a", "none", "link"])
    assert (file.name, file.size, file.regular) == ("a", 5, True)
    assert not link.regular
    assert file == next(seen for seen in scan(tmp_path) if seen.name == "a") or file.age_s > 0
