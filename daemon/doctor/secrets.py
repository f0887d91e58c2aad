"""What nobody else may know, and how it is kept out of what is handed on.

What is known to be secret (keys' files, credentials, values whose name says so) is
taken out wherever it turns up; what only looks like one is taken out, too.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from daemon.config import Config
from daemon.doctor.addresses import secret_files

HIDDEN: Final = "(left out)"
_NAME: Final = re.compile(r"pass|secret|token|credential|auth|api_?key|private", re.IGNORECASE)
_SHORTEST: Final = 4  # what is shorter turns up everywhere
_LARGEST_BYTES: Final = 64 << 10
_PATTERNS: Final = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    re.compile(r"(?<=://)[^\s/@]+(?=@)"),
    re.compile(
        r"(?i)(?<![a-z])((?:[\w-]*(?:pass(?:word|wd|phrase)?|secret(?:[-_]key)?|token|api_?key))"
        r"\"?\s*[=:]\s*(?:found\s+)?)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,}]+)"
    ),
    re.compile(r"(?i)(authorization\"?\s*[:=]\s*\"?(?:basic|bearer)\s+)[\w+/=.-]+"),
)


def is_secret_name(name: str) -> bool:
    """Say whether a name says that its value is secret."""
    return _NAME.search(name) is not None


def known_secrets(
    config: Config | None, path: Path | None, sets: Sequence[str], environ: Mapping[str, str]
) -> frozenset[str]:
    """Return every text that is known to be secret."""
    found = {value for name, value in environ.items() if is_secret_name(name)}
    found |= set(_in_sets(sets)) | set(_in_file(path))
    for folder in (environ.get("CREDENTIALS_DIRECTORY"), config and config.bus.keys):
        if folder:
            found |= set(_in_folder(Path(folder), every=folder != (config and config.bus.keys)))
    for file in secret_files(config) if config else ():
        found |= set(_in_text(file))
    lines = {line.strip() for text in found for line in text.splitlines()}
    return frozenset(t for t in found | lines if len(t) >= _SHORTEST and not _is_file(t))


class Cleaner:
    """Takes secrets out of texts and of plain values."""

    def __init__(self, secrets: Iterable[str]) -> None:
        said = {form for secret in secrets for form in _forms(secret)}
        self._secrets = sorted(said, key=len, reverse=True)  # one may be within another

    def text(self, text: str) -> str:
        """Return a text without what is secret in it, or looks like it."""
        for pattern in _PATTERNS:
            text = pattern.sub(_hidden, text)
        return self._known(text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a plain value without what is secret in it."""
        if isinstance(value, Mapping):
            return {self._known(str(k)): self.value(v, str(k)) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, name) for item in value]
        if isinstance(value, str):
            secret = is_secret_name(name) and value and not _is_file(value)
            return HIDDEN if secret else self.text(value)
        return value

    def _known(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as JSON writes it."""
    yield secret
    for ensure_ascii in (True, False):
        yield json.dumps(secret, ensure_ascii=ensure_ascii)[1:-1]


def _is_file(text: str) -> bool:
    """Say whether a text is the path of a file, and so no secret itself."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, as keys and certificates are
        return False


def _hidden(match: re.Match[str]) -> str:
    return (match[1] if match.re.groups else "") + HIDDEN


def _in_sets(sets: Sequence[str]) -> Iterator[str]:
    for text in sets:
        key, _, value = text.partition("=")
        if is_secret_name(key):
            yield value.strip()


def _in_file(path: Path | None) -> Iterator[str]:
    """Yield the secret values of a TOML file, as far as it is one."""
    if path is None:
        return
    with suppress(OSError, ValueError):
        yield from _in_tables(tomllib.loads(path.read_text("utf-8")))


def _in_tables(tables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _in_tables(value)
        elif isinstance(value, str) and is_secret_name(name):
            yield value


def _in_folder(folder: Path, *, every: bool) -> Iterator[str]:
    """Yield what the secret files of a folder hold; of a folder of keys, those that are secret."""
    with suppress(OSError):
        for path in folder.iterdir():
            if every or path.suffix == ".secret":
                yield from _in_text(path)


def _in_text(path: Path) -> Iterator[str]:
    """Yield what a secret file holds: whole, by its lines, and by what is quoted in them."""
    with suppress(OSError):
        with path.open("rb") as file:
            text = file.read(_LARGEST_BYTES).decode("utf-8", "replace")
        if '-key = "' in text:  # a certificate of CURVE: its public half is no secret
            yield from re.findall(r'secret-key\s*=\s*"([^"]+)"', text)
        else:
            yield text.strip()
