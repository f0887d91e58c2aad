"""`python -m benchmarks.evaluation DATA`: measure, and write a table and all figures."""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from acoio.output import write_output
from benchmarks.evaluation import sea, sea_tables
from benchmarks.evaluation.compare import DRAWS, FIRST_SEED, Result, Where, compare, quiet_threads
from benchmarks.evaluation.experiment import MARK
from benchmarks.evaluation.registry import LETTERS, tasks_of
from benchmarks.evaluation.tables import table, trainings
from benchmarks.evaluation.task import Task

PARTS = Path("build") / "evaluation"
SEA = ("C", "D")  # of one run over the same sound

CAPTION = """\
Every contestant is fitted on the same windows in the same run. A baseline has a grid of settings,
and the one shown is the best *by the windows tested*, at the first seed: that favours the
baselines, since gumiho's settings were chosen on other windows and with other seeds (each task
says which) and it gets one choice. Baselines are fitted to 10,000 typical windows at most (the
one-class SVM to 2,000) and see typical windows alone; gumiho sees unlabelled *various* ones too,
as its users do.
AUC and pAUC (false alarms up to a tenth, standardised, chance is .5) are means over seeds, with the
least and the most; the interval is a bootstrap of the windows tested ({draws} draws), its bounds
averaged over seeds. *s* is the time of one fit and its scores on one core, others at work beside
it."""

UNFINISHED = """\
**Unfinished**: written of the parts that were done when the run was stopped. Contestants and
seeds are missing, and no row is to be quoted; the same command without `--only-kept` goes on."""


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, and write it."""
    asked = _asked(arguments)
    where = Where(asked.data.resolve(), PARTS, only_kept=asked.only_kept)
    pool = ProcessPoolExecutor(asked.jobs, get_context("spawn"), initializer=quiet_threads)
    with pool:
        found = list(_compared(asked.tasks, where, asked.seeds, pool))
    at_sea = sea.rows(where.data, PARTS, jobs=asked.jobs) if set(SEA) & set(asked.tasks) else []
    page = [*_page(found, asked), *sea_tables.page(at_sea)] if at_sea else _page(found, asked)
    text = "\n".join([*page, *_experiment(asked.out)]) + "\n"
    write_output(asked.out, text.encode())
    figures = _figures(found, asked) | {"sea": sea_tables.figures(at_sea)}
    write_output(asked.out.with_suffix(".json"), (json.dumps(figures, indent=1) + "\n").encode())


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation", description=__doc__)
    parser.add_argument(
        "data", type=Path, help="folder that holds mnist/, rightwhale/, aco/ and calls/"
    )
    parser.add_argument("--out", type=Path, default=Path("docs") / "evaluation.md")
    parser.add_argument("--tasks", type=lambda x: x.split(","), default=[*LETTERS, *SEA])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--only-kept", action="store_true", help="write what is finished, and run nothing more"
    )
    asked = parser.parse_args(arguments)
    if unknown := set(asked.tasks) - {*LETTERS, *SEA}:
        wanted = ", ".join([*LETTERS, *SEA])
        parser.error(f"--tasks: found {', '.join(sorted(unknown))}, wanted {wanted}")
    if not asked.data.is_dir():
        parser.error(f"data: found no folder {asked.data}")
    return asked


def _compared(
    letters: Sequence[str], where: Where, seeds: int, pool: Executor
) -> Iterator[tuple[Task, list[Result]]]:
    for letter in (x for x in letters if x in LETTERS):
        for task in tasks_of(letter, where.data):
            print(f"\n{task.title}", flush=True)
            results = []
            for result in compare(task, where, seeds=seeds, pool=pool):
                results.append(result)
                print(*list(table([result]))[2:], flush=True)
            yield task, results


def _page(found: Sequence[tuple[Task, list[Result]]], asked: argparse.Namespace) -> Iterator[str]:
    yield "# How well gumiho and its baselines find the unusual"
    yield ""
    yield f"Written by `{_command(asked)}`; {_machine()}, {asked.jobs} at a time."
    yield f"Seeds {FIRST_SEED} to {FIRST_SEED + asked.seeds - 1}."
    yield ""
    yield CAPTION.format(draws=DRAWS)
    if asked.only_kept:
        yield ""
        yield UNFINISHED
    for task, results in found:
        yield ""
        yield f"## {task.title}"
        yield ""
        yield task.note
        yield ""
        yield from table(results)
        yield ""
        yield from trainings(results)


def _experiment(out: Path) -> Sequence[str]:
    """Return the section that another command wrote below, as it is there."""
    _, mark, below = (out.read_text("utf-8") if out.exists() else "").partition(MARK)
    return ["", mark + below.rstrip()] if mark else []


def _figures(
    found: Sequence[tuple[Task, list[Result]]], asked: argparse.Namespace
) -> dict[str, Any]:
    return {
        "command": _command(asked),
        "machine": _machine(),
        "tasks": {
            task.key: {"title": task.title, "results": [asdict(result) for result in results]}
            for task, results in found
        },
    }


def _command(asked: argparse.Namespace) -> str:
    tasks = ",".join(asked.tasks)
    options = f"--tasks {tasks} --seeds {asked.seeds} --jobs {asked.jobs}"
    options += " --only-kept" if asked.only_kept else ""
    return shlex.join(["python", "-m", "benchmarks.evaluation", "DATA", *options.split()])


def _machine() -> str:
    names = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x]
    cores = f"{len(names)} cores of {names[0].split(':')[1].strip()}" if names else "unknown cores"
    return f"{cores}, Python {platform.python_version()}, torch {torch.__version__}"


if __name__ == "__main__":
    main(sys.argv[1:])
