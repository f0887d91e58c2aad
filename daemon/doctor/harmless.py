"""What may be handed on: numbers, times, versions, and words of our own code; nothing else.

A list of what is secret is never whole: a password may stand in any line, name or path.  What
stands in our code, word for word, is public anyway.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import acoio
import daemon
import detector

LEFT_OUT: Final = "(left out)"

_PACKAGES: Final = (acoio, detector, daemon)
_LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical", "log")
_LOG_HEAD: Final = ("timestamp", "level", "event")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")
_VERSION: Final = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}([+-][a-z]{1,5}\d{0,3})?")
_ENDPOINT: Final = re.compile(r"((tcp|http)://)?(\d{1,3}(\.\d{1,3}){3}|localhost|\*|\[::1?\]):\d+")
_FRAME: Final = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+), in (?P<name>\S+)')
_RAISED: Final = re.compile(r"(?:\w+\.)*(?P<kind>\w+)(?::.*)?")


@dataclass(frozen=True, slots=True)
class Own:
    """What stands in our code: its texts whole, its names, its files, what its logs name."""

    texts: frozenset[str]
    names: frozenset[str]
    files: frozenset[str]
    log_keys: frozenset[str]


@cache
def own() -> Own:
    """Return what stands in the code that runs."""
    texts: set[str] = set()
    names: set[str] = {"<module>"}
    files: set[str] = set()
    log_keys: set[str] = set(_LOG_HEAD)
    for package in _PACKAGES:
        home = Path(str(package.__file__)).parent
        for path in home.rglob("*.py"):
            files.add(path.relative_to(home.parent).as_posix())
            for node in ast.walk(ast.parse(path.read_bytes())):
                texts.update(_texts(node))
                names.update(_names(node))
                log_keys.update(_log_keys(node))
    return Own(frozenset(texts), frozenset(names), frozenset(files), frozenset(log_keys))


def value(found: Any) -> Any:
    """Return a plain value with what is harmless in it: other texts and names are left out."""
    if isinstance(found, Mapping):
        return {key: value(part) for key, part in found.items() if _is_name(key)}
    if isinstance(found, list | tuple):
        return [value(part) for part in found]
    if isinstance(found, str):
        return found if is_harmless(found) else LEFT_OUT
    return found if found is None or isinstance(found, bool | int | float) else LEFT_OUT


def is_harmless(text: str) -> bool:
    """Return whether a text is a time, a version, an address in numbers, or of our own code."""
    forms = (_TIME, _VERSION, _ENDPOINT)
    return text in own().texts or any(form.fullmatch(text) for form in forms)


def log_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a log that are ours, as JSON, and the frames of tracebacks.

    The last one counts the lines that were left out.
    """
    left_out = 0
    for line in lines:
        kept = _log_line(line) or _traceback_line(line)
        left_out += not kept
        if kept:
            yield json.dumps(kept)
    yield json.dumps({"event": LEFT_OUT, "lines": left_out})


def _log_line(line: str) -> dict[str, Any] | None:
    """Return a line of our log, as far as it is harmless."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    event = entry.get("event") if isinstance(entry, dict) else None
    if not isinstance(event, str) or not _is_event(event):
        return None
    kept = {key: value(part) for key, part in entry.items() if key in own().log_keys}
    return {**kept, "event": event}


def _is_event(event: str) -> bool:
    """Return whether our code logs it: whole, or as "file " before the state of one."""
    first, _, rest = event.partition(" ")
    known = own().texts
    return event in known or (f"{first} " in known and rest.replace(" ", "_") in known)


def _traceback_line(line: str) -> dict[str, Any] | None:
    """Return a frame in our code, or which kind of error was raised."""
    if (frame := _FRAME.fullmatch(line)) and frame["name"] in own().names:
        file = next((name for name in own().files if frame["file"].endswith(f"/{name}")), None)
        return {"file": file, "line": int(frame["line"]), "in": frame["name"]} if file else None
    raised = _RAISED.fullmatch(line)
    if raised and raised["kind"].endswith(("Error", "Exception", "Interrupt")):
        kind = raised["kind"]
        return {"raised": kind} if kind in own().names or hasattr(builtins, kind) else None
    return None


def _is_name(key: Any) -> bool:
    return isinstance(key, int | float) or key in own().names or key in own().texts


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the name that a node gives to something: a function, a class, a field, an argument."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.keyword(arg=str(name)):
            yield name


def _log_keys(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=attr), keywords=keywords) if attr in _LEVELS:
            yield from (word.arg for word in keywords if word.arg)
