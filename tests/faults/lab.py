"""A drop, a store and the lives of a daemon on them: where a fault happens."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

from acoio.errors import SetupError
from acoio.filename import FileName
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from tests.daemon.sea import Sea
from tests.faults.contents import Contents, contents, known, recordings
from tests.faults.life import Life, Order, Zygote, executed, forked, until
from tests.faults.ports import free_ports
from tests.faults.recorder import Recorder
from tests.faults.reference import Files, Reference

_SOON_S: Final = 0.5
FINAL: Final = frozenset({"done", "set_aside", "duplicate"})


class Lab:
    """What a fault works with.

    `sound` is what the drop must be scored as in the end, or None if the fault leaves no
    whole sound; `aside` are names that must be set aside, with a part of the reason;
    `in_order` is false where an event is heard in pieces, as its sound came out of order;
    `new_epoch` says that the ledger's numbers begin anew.
    """

    def __init__(self, folder: Path, sea: Sea, zygote: Zygote, reference: Reference) -> None:
        self.folder = folder
        self.reference = reference
        self.zygote = zygote
        self.sea = sea
        self.files: Files = pieces(sea, 4)
        self.sound: Files | None = self.files
        self.aside: dict[str, str] = {}
        self.new_epoch = False
        self.in_order = True
        self.may_crash = False
        self.drop, self.store = folder / "drop", folder / "store"
        self.log = folder / "log"
        folder.mkdir(exist_ok=True)
        self.log.touch()
        self.settings = folder / "kilokai.toml"
        self.drop.mkdir(parents=True)
        self._undo, self._listening = ExitStack(), ExitStack()
        self._before: Contents = {}
        self._wanted: list[str] = []
        self._look_at_s = 0.0
        publish, replay, metrics = free_ports(3)
        self.publish, self.replay = f"tcp://127.0.0.1:{publish}", f"tcp://127.0.0.1:{replay}"
        self.metrics = f"127.0.0.1:{metrics}"
        self.recorder = Recorder(self.publish, self.replay)
        self.configure()

    def __enter__(self) -> Self:
        self._undo.enter_context(self._listening)
        self._listening.enter_context(self.recorder)
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def undo(self, *command: str | Path) -> None:
        """Have a command run at the end, whatever happens."""
        from tests.faults.shell import quietly

        self._undo.callback(quietly, *command)

    def guard(self, keys: Path, secret: Path) -> None:
        """Give the bus keys; who listens here uses this secret."""
        self.configure(bus=f"keys = '{keys}'\n")
        self.fresh_recorder(server_key=keys / "server.pub", keys=secret)

    def fresh_recorder(self, **curve: Path) -> None:
        """Let those who listen hang up, forget all, and listen anew."""
        self._listening.close()
        self.recorder = Recorder(self.publish, self.replay, **curve)
        self._listening.enter_context(self.recorder)

    def configure(self, **tables: str) -> None:
        """Write the configuration; `tables` adds lines to a table."""
        wanted = {
            "drop": f"path = '{self.drop}'\nsettle_s = 0.3\nrescan_s = 0.2\n",
            "store": f"path = '{self.store}'\n",
            "bus": f"publish = '{self.publish}'\nreplay = '{self.replay}'\nheartbeat_s = 0.2\n",
            "metrics": f"listen = '{self.metrics}'\n",
            "evidence": "clips = false\npictures = false\n",
        }
        text = ""
        for name in wanted | tables:
            text += f"[{name}]\n{wanted.get(name, '')}{tables.get(name, '')}\n"
        self.settings.write_text(text)

    # What arrives -------------------------------------------------------------------------

    def put(self, files: Files | None = None, *, into: str = "") -> None:
        """Deliver files as rsync does: under another name, then by rename."""
        folder = self.drop / into
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files if files is None else files:
            part = folder / f".{name}.Xy3z"
            part.write_bytes(data)
            part.rename(folder / name)
            self._before[str(folder / name)] = known(os.fsencode(folder / name))

    def changed(self) -> None:
        """Take the drop as it is for what was delivered: from here on it must not change."""
        self._before = self.contents()

    def contents(self) -> Contents:
        """Return what is in the drop."""
        return contents(self.drop)

    def unchanged(self) -> Contents:
        """Return what the drop holds, each thing as it was when it was delivered."""
        return self.contents() | self._before

    # Lives --------------------------------------------------------------------------------

    @contextmanager
    def life(
        self, *words: str, prefix: Sequence[str] = (), loud: bool = True, **order: Any
    ) -> Iterator[Life]:
        """Give a daemon; at the end it is killed, unless it ended by itself."""
        order.setdefault("log", self.log)
        whole = Order(("run", "--config", str(self.settings), *words), **order)
        if prefix or not loud:
            life = executed(prefix, whole, self.metrics, loud=loud)
        else:
            life = forked(self.zygote, whole, self.metrics)
        try:
            if whole.held:
                until(life.held, "the daemon is held")
            yield life
        finally:
            life.kill()

    def run(self, *words: str, deadline_s: float = 90.0, **order: Any) -> int:
        """Run until idle and return the exit code."""
        with self.life("--until-idle", *words, **order) as life:
            return life.wait(deadline_s)

    def command(self, *words: str | Path) -> None:
        """Run another command of kilokai's, which must end with 0."""
        order = Order([str(word) for word in words], self.log)
        assert forked(self.zygote, order, "").wait() == 0, self.log.read_text()[-500:]

    # What is known ------------------------------------------------------------------------

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the ledger's files by name; none if there is no ledger yet."""
        try:
            return {row["name"]: row for row in stored_files(self.store)}
        except SetupError:
            return {}

    def scores(self) -> list[dict[str, Any]]:
        try:
            return stored_scores(self.store)
        except SetupError:
            return []

    def events(self) -> list[dict[str, Any]]:
        return stored_events(self.store)

    def outbox(self) -> list[dict[str, Any]]:
        """Return every message of the ledger with the number of its row, in order."""
        with self.ledger() as database:
            rows = database.execute("SELECT sequence, json FROM outbox ORDER BY sequence")
            return [{"row": row, **json.loads(text)} for row, text in rows]

    def oldest(self) -> int:
        """Return the number of the oldest message that is kept; 1 if none is."""
        return next((message["row"] for message in self.outbox()), 1)

    def meta(self) -> dict[str, str]:
        with self.ledger() as database:
            return dict(database.execute("SELECT key, value FROM meta"))

    @contextmanager
    def ledger(self) -> Iterator[sqlite3.Connection]:
        path = (self.store / LEDGER_FILE).resolve()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)) as database:
            yield database

    def wanted(self) -> list[str]:
        """Return the names of the drop that claim to be recordings, by the text of their path.

        A drop that takes long to look through is not looked through all the time.
        """
        begin_s = time.monotonic()
        if begin_s >= self._look_at_s:
            self._wanted = sorted(recordings(self.drop))
            self._look_at_s = time.monotonic() + 20 * (time.monotonic() - begin_s) - _SOON_S
        return self._wanted

    def pending(self) -> list[str]:
        """Return those that are not finished in the ledger."""
        rows = self.rows()
        return [name for name in self.wanted() if rows.get(name, {}).get("state") not in FINAL]

    def all_done(self, *, deadline_s: float = 90.0) -> None:
        until(lambda: not self.pending(), "every file is finished", deadline_s=deadline_s)

    def whole_outbox(self) -> None:
        """See that messages are numbered without a hole, and that there are any."""
        rows = [message["row"] for message in self.outbox()]
        assert rows == list(range(1, int(self.meta()["sequence"]) + 1)), rows

    def again(self) -> None:
        """Begin with an empty drop and no store."""
        for folder in (self.drop, self.store):
            shutil.rmtree(folder, ignore_errors=True)
        self.drop.mkdir()
        self._before = {}


def pieces(sea: Sea, count: int, *, minutes: int = 2) -> Files:
    """Return a sea as so many files of equal length, their names some minutes apart."""
    cuts = [len(sea.records) * k // count for k in range(count + 1)]
    return tuple(
        (
            str(FileName(sea.begin + timedelta(minutes=minutes) * k)),
            b"".join(sea.records[cuts[k] : cuts[k + 1]]),
        )
        for k in range(count)
    )
