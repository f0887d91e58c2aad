"""What of the drop may hold recordings and is not read is named and counted, nowhere skipped."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemon.config import Config
from daemon.health.status import status
from daemon.health.troubles import ailments
from daemon.ledger.stored import stored_events, stored_files
from daemon.service.run import run
from detector.values import iso
from tests.daemon.bench import Found, found_in
from tests.daemon.conftest import sets_of
from tests.daemon.sea import Sea

_ROOT = Path(__file__).parents[3]
_BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # by modes, though root


def _kilokai(*words: str) -> subprocess.CompletedProcess[str]:
    """Run kilokai as a user whom the modes of files bind."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, as modes do not bind root")
    bound = _BOUND if os.geteuid() == 0 else []
    command = [*bound, sys.executable, "-m", "tests.daemon.loud_daemon", *words]
    return subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def _closed_folder(drop: Path) -> tuple[str, Path]:
    first = min(drop.iterdir())
    (drop / "closed").mkdir()
    first.rename(drop / "closed" / first.name)
    (drop / "closed").chmod(0)
    return "closed/", drop / "closed"


def _closed_file(drop: Path) -> tuple[str, Path]:
    first = min(drop.iterdir())
    first.chmod(0)
    return first.name, first


def _said(store: Path) -> Any:
    return json.loads((store / "status.json").read_text())


@pytest.mark.parametrize("close", [_closed_folder, _closed_file])
def test_what_is_closed_is_named_and_read_once_it_is_open(
    full_drop: Path, tmp_path: Path, unbroken: Found, close: Callable[[Path], tuple[str, Path]]
) -> None:
    name, path = close(full_drop)
    store = tmp_path / "store"
    sets = [word for key in sets_of(full_drop, store) for word in ("--set", key)]
    done = _kilokai("run", "--until-idle", *sets)
    path.chmod(0o755)
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "cannot be read" in line]
    assert name in line
    assert "Permission denied" in line
    said = _said(store)
    assert said["unreadable"]["count"] == 1
    assert said["unreadable"]["first"][0]["name"] == name
    assert said["backlog"]["files"] == 0
    assert status(store)["daemon"]["unreadable"] == said["unreadable"]
    path.chmod(0)
    told = _kilokai("doctor", *sets)
    path.chmod(0o755)
    words = f"1 files and folders may not be read by root, such as {name}"
    assert "".join(words.split()) in "".join(told.stdout.split())  # it is wrapped
    assert _kilokai("run", "--until-idle", *sets).returncode == 0
    assert [score["begin"] for score in found_in(store)[0]] == [s["begin"] for s in unbroken[0]]
    assert _said(store)["unreadable"] == {"count": 0, "first": []}


def test_it_is_not_well() -> None:
    now = datetime.now(UTC)
    first = [{"name": "closed/", "reason": "Permission denied"}]
    said = {"started": iso(now), "unreadable": {"count": 3, "first": first}}
    assert ailments(said, now) == {
        "unreadable": "of the drop cannot be read: closed/ (Permission denied) and 2 more"
    }


@pytest.mark.usefixtures("loud")
def test_names_that_are_no_utf8_are_read(
    drop: Path, sea: Sea, config: Config, unbroken: Found
) -> None:
    folder = Path(os.fsdecode(bytes(drop) + b"/caf\xe9"))
    folder.mkdir()
    for name, data in sea.cut():
        (folder / name).write_bytes(data)
    assert run(config, until_idle=True) == 0
    assert [s["begin"] for s in found_in(config.store.path)[0]] == [s["begin"] for s in unbroken[0]]
    names = {file["name"] for file in stored_files(config.store.path)}
    assert names == {rf"caf\xe9/{name}" for name, _ in sea.cut()}
    assert all(event["file"].startswith(r"caf\xe9/") for event in stored_events(config.store.path))


@pytest.mark.parametrize("close", [_closed_folder, _closed_file])
def test_score_names_what_is_closed_scores_the_rest_and_exits_1(
    full_drop: Path, close: Callable[[Path], tuple[str, Path]]
) -> None:
    name, path = close(full_drop)
    done = _kilokai("score", str(full_drop), "--json")
    path.chmod(0o755)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert name.rstrip("/") in line
    assert json.loads(done.stdout)["scores"]
