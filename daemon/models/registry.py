"""The registry: every model of a store, the champion among them, and how it came to be.

`<store>/models/<id>/` holds `model.safetensors`, `card.json`, `golden.json` and
`verdict.json`, and never changes; `current` is a link to the champion's folder.  One
writer at a time (`lock`); whoever only reads needs no lock, since folders come in, and the
link is replaced, in one step.  A process that makes a candidate does so in
`with registry.candidate() as folder:`, which no other writer sweeps away meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError, SetupError
from daemon.durable import sync_folder, write_whole
from daemon.models import history, verdict
from daemon.models.entry import Entry, entry_of
from daemon.models.fit import require_fit, require_there
from daemon.models.folders import make_link, move_in, new_folder, remove, told, writing
from daemon.models.history import By, Switch
from daemon.models.link import CURRENT, is_id, linked, require_no_folder
from daemon.models.verdict import Verdict, verdict_bytes
from detector.files import LARGEST_BYTES, read_regular
from detector.scoring.fingerprint import CARD, TENSORS
from detector.values import iso

_FILES: Final = (TENSORS, CARD)  # the card last, as it names the hash
_GOLDEN: Final = "golden.json"


class Registry:
    """The models of a store.

    All that writes raises `NotReadyError` where the folder cannot be written, and
    `SetupError` for a model that cannot score: then nothing was changed.
    """

    def __init__(self, store: Path) -> None:
        self.path = store / "models"
        self._link = self.path / CURRENT

    def current(self) -> str | None:
        """Return the champion's id, or None if there is none; whether it loads is not said.

        Raises
        ------
        SetupError
            If what should be a link to it is something else.
        """
        return linked(self._link)

    def champion(self) -> str | None:
        """Return what `current` does, but None where that raises: then it can be mended."""
        with suppress(SetupError, NotReadyError):
            return self.current()
        return None

    def folder(self, model: str) -> Path:
        """Return where a model of this id lies, or would lie.

        Raises
        ------
        SetupError
            If it is no id.
        """
        if not is_id(model):
            raise SetupError(f"{self.path}: found {model!r:.80}, wanted a model's id, NAME-HASH")
        return self.path / model

    def entries(self) -> list[Entry]:
        """Return every model, newest first; one that cannot be read says so."""
        if not self.path.is_dir():
            return []
        with told(self.path):
            champion = self.champion()
            found = [
                entry_of(folder, champion)
                for folder in sorted(self.path.iterdir())
                if is_id(folder.name) and folder.is_dir() and not folder.is_symlink()
            ]
        return sorted(found, key=lambda e: e.verdict.decided if e.verdict else "", reverse=True)

    def history(self) -> list[Switch]:
        """Return the switches that took place, oldest first."""
        noted = self.noted()
        try:
            return history.happened(noted, self.current())
        except (SetupError, NotReadyError):  # who spoilt the link did so later
            return noted

    def why(self, model: str | None) -> tuple[str, str]:
        """Return who made a model the champion and for what reason, as far as that is known."""
        with suppress(NotReadyError):
            last = self.noted()[-1:]
            if last and last[0].model == model:
                return last[0].by, last[0].reason
        return "promote", ""

    def champions(self) -> list[str | None]:
        """Return the champions that `rollback` goes back through, the present one last."""
        return history.champions(self.history(), self.champion())

    def candidate(self) -> AbstractContextManager[Path]:
        """Give an empty folder for a model in the making; what is not registered then, goes."""
        return new_folder(self.path)

    def register(self, folder: Path, judged: Verdict) -> str:
        """Take a finished model in, accepted or not, and return its id.

        A folder of the registry (`candidate`) is renamed, any other copied.  A model
        that is there already takes the new verdict.

        Raises
        ------
        SetupError
            If it is no model that could score.
        NotReadyError
            If there is no room, or the registry cannot be written.
        """
        if folder.parent != self.path:
            from detector.scoring.checkpoint import read_model

            read_model(folder)  # what is wrong is said of where it lies
            with self.candidate() as new:
                _copy(folder, new, *_FILES)
                return self.register(new, judged)
        from daemon.models.golden import seal

        model = seal(folder)
        place = self.folder(model.id)
        write_whole(folder / verdict.FILE, verdict_bytes(judged))
        with writing(self.path, spare=folder), told(place):
            if place.is_dir():
                _copy(folder, place, *_FILES, _GOLDEN, verdict.FILE)
            else:
                move_in(folder, place)
        return model.id

    def promote(
        self, model: str, *, by: By = "promote", reason: str = "", rival: str | None = None
    ) -> None:
        """Make a model the champion, from the daemon's next window on.

        Who promotes the champion itself has chosen it anew (`history.lineage`).  `rival` is
        which one was champion, or None, when a retraining began.

        Raises
        ------
        SetupError
            If it is not here, cannot score, is for another sampling rate, or was retrained
            and another one was made champion meanwhile.
        NotReadyError
            If the registry cannot be written.
        """
        folder, champion = self.folder(model), self.champion()
        require_fit(folder, self.folder(champion) if champion else None)
        with writing(self.path):
            require_no_folder(self._link)
            require_there(folder)
            champion = self.champion()
            if by == "retrain" and champion != rival:
                raise SetupError(
                    f"{folder}: found {champion or 'detector.model'} champion, wanted "
                    f"{rival or 'detector.model'}, which it was judged against"
                )
            self._switch(model, by, reason)

    def rollback(self, *, reason: str = "") -> str | None:
        """Make the model champion that was it before; the next one goes back further.

        Returned is the new champion, or None where `detector.model` scored before the
        first one.  Models that are gone or do not load are passed over.

        Raises
        ------
        SetupError
            If there is none to go back to.
        NotReadyError
            If the registry cannot be written.
        """
        with writing(self.path):
            require_no_folder(self._link)
            champion = self.champion()
            rival = self.folder(champion) if champion else None
            for model in reversed(self.champions()[:-1]):
                with suppress(SetupError):
                    if model is not None:
                        require_fit(self.folder(model), rival)
                    self._switch(model, "rollback", reason)
                    return model
        raise SetupError(f"{self.path}: found no champion before this one that loads")

    def prune(self, models: Collection[str]) -> list[str]:
        """Remove some models and return their ids; the champion and the one before it stay.

        Raises
        ------
        SetupError
            If which one is the champion is not known.
        NotReadyError
            If the registry cannot be written.
        """
        with writing(self.path):
            self.current()  # what cannot be told from the champion, is not removed
            stay = self.champions()[-2:]
            gone = [model for model in models if model not in stay and self.folder(model).is_dir()]
            for model in gone:
                with told(self.folder(model)):
                    remove(self.folder(model))
        return gone

    def noted(self) -> list[Switch]:
        """Return the switches that were begun: of the last one, `current` says if it was made.

        Raises
        ------
        NotReadyError
            If they cannot be read.
        """
        try:
            return history.parsed(read_regular(self.path / history.FILE).decode("utf-8", "replace"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotReadyError(f"{self.path / history.FILE}: {error.strerror}") from error

    def _switch(self, model: str | None, by: By, reason: str) -> None:
        """Note a switch and make it: what is noted but not made did not happen."""
        before = self.champion()
        line = Switch(iso(datetime.now(UTC)), model, before, by, reason)
        with told(self._link):
            new = make_link(self._link, model) if model else None
            write_whole(self.path / history.FILE, history.written([*self.history(), line]))
            if new:
                new.replace(self._link)
            else:
                self._link.unlink(missing_ok=True)
            sync_folder(self.path)


def _copy(folder: Path, place: Path, *names: str) -> None:
    """Write files of a folder into another, each in one step."""
    for name in names:
        write_whole(place / name, read_regular(folder / name, LARGEST_BYTES))
