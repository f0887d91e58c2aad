"""`python -m benchmarks.evaluation.experiment DATA`: the report's own experiment, in pictures.

The published method is trained on digits of which some are never typical.  Drawn are digits
and what both tails reconstruct of them, samples of the prior beside those that the rejection
accepts as anomalies, and loss, detection and false alarms in the course of the training.  The
section at the end of docs/evaluation.md is written anew.

Source: Koizumi et al., IEEE/ACM TASLP 27(1), 2019: docs/decisions/0003.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from acoio.output import write_output
from acoio.picture import save
from benchmarks.baselines.base import Windows
from benchmarks.evaluation.digits import REPORT, choose, read, scaled
from benchmarks.evaluation.networks import PATIENCE, Evidence, scores_of
from benchmarks.machine import processor
from detector.networks.gumiho import DISCRIMINATOR, UNLIKELY
from detector.networks.methods import Discriminating, NetworkSettings
from detector.training.phases import TrainSettings
from detector.training.train import Report, Trainer

MARK: Final = "<!-- From here on written by `make experiment`. -->"
DIGITS: Final = Path("docs") / "digits.png"
TRAINING: Final = Path("docs") / "digits-training.png"
_SHAPE: Final = NetworkSettings(
    28, 28, method="published", latent=16, parts=10, noise=False, output="sigmoid"
)
_SHARE: Final = 0.05  # of *various* that is atypical
_COLUMNS: Final = 12  # of digits, half of them typical
_DRAWS: Final = 24
_HELD: Final = 2000  # typical images that no training saw, for the threshold


@dataclass(frozen=True, eq=False)
class Sets:
    """Images (n, 28, 28), pixels of 0 to 1: learnt from, held for the threshold, and tested."""

    typical: Windows
    various: Windows
    held: Windows
    test: Windows
    is_atypical: NDArray[np.bool_]


@dataclass(frozen=True)
class Point:
    """How far the training is, and what the network finds then at the false-alarm rate rho."""

    phase: int
    step: int
    loss: float
    detection: float
    false_alarms: float
    accepted: float
    auc: float


def main(arguments: Sequence[str]) -> None:
    """Train, draw, and write the section."""
    asked = _asked(arguments)
    sets, settings = _sets(asked.data / "mnist", asked.seed), _settings(asked)
    trainer = Trainer(_SHAPE, sets.typical, sets.various, settings, device="cpu")
    points = []
    for report in trainer.phases():
        points.append(_point(report, trainer.network.eval(), sets, settings.rho))
        print(report, f"detection {points[-1].detection:.3f}", flush=True)
    network = trainer.network.eval()
    save(draw_digits(network, sets, asked.seed), DIGITS)
    save(draw_training(points, settings), TRAINING)
    page = Path("docs") / "evaluation.md"
    above = page.read_text("utf-8").partition(MARK)[0].rstrip()
    text = "\n".join([above, "", *section(points, settings, asked.seed)]) + "\n"
    write_output(page, text.encode())


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.experiment")
    parser.add_argument("data", type=Path, help="folder that holds mnist/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500, help="of each of both phases")
    return parser.parse_args(arguments)


def _settings(asked: argparse.Namespace) -> TrainSettings:
    return TrainSettings(
        seed=asked.seed,
        batch=128,
        phase1_steps=asked.steps,
        phase2_steps=asked.steps,
        rho=0.05,
        fidelity=0.01,
        patience=PATIENCE,
    )


def _sets(folder: Path, seed: int) -> Sets:
    images = read(folder)
    rows = choose(images.digits, REPORT, _SHARE, seed=seed)
    tested = np.isin(images.test_digits, REPORT.typical + REPORT.atypical)
    rng = np.random.default_rng(seed)
    typical = scaled(images.images[rng.permutation(rows.typical)])
    return Sets(
        typical[_HELD:],
        scaled(images.images[rng.permutation(rows.various)]),
        typical[:_HELD],
        scaled(images.test_images[tested]),
        np.isin(images.test_digits[tested], REPORT.atypical),
    )


def _point(report: Report, network: Discriminating, sets: Sets, rho: float) -> Point:
    evidence = network.evidence if report.phase > 1 else _reconstruction_error(network)
    scores, held = (scores_of(evidence, x) for x in (sets.test, sets.held))
    above = scores > np.quantile(held, 1 - rho)
    figures = report.figures
    return Point(
        report.phase,
        report.step,
        figures.get("held_out", float("nan")),
        float(above[sets.is_atypical].mean()),
        float(above[~sets.is_atypical].mean()),
        figures.get("accepted", float("nan")),
        float(roc_auc_score(sets.is_atypical, scores)),
    )


def _reconstruction_error(network: Discriminating) -> Evidence:
    """Return the score before there is a discriminator tail: the error of the other one."""
    return lambda x: network.error(x, network(x))[:, None]


def draw_digits(network: Discriminating, sets: Sets, seed: int) -> Figure:
    """Return a picture of digits, what both tails make of them, and samples of the prior."""
    half, generator = _COLUMNS // 2, torch.Generator().manual_seed(seed)
    rows = [np.flatnonzero(sets.is_atypical == kind)[:half] for kind in (False, True)]
    x = torch.from_numpy(sets.test[np.concatenate(rows)])
    z = torch.randn((_DRAWS, _SHAPE.latent), generator=generator)
    with torch.no_grad():
        parts = {
            "digits": x,
            "reconstruction tail": network(x),
            "discriminator tail": network(x, DISCRIMINATOR),
            "samples of the prior": network.draw(z),
            "accepted as anomalies": network.generate(
                _DRAWS, condition=UNLIKELY, generator=generator
            ).drawn,
        }
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(len(parts), 1, height_ratios=[1, 1, 1, 2, 2])
    for one, (name, images) in zip(axes, parts.items(), strict=True):
        _tiles(one, images.numpy(), name)
    axes[0].set_title("typical (2, 3, 5, 6, 8, 9)   |   atypical (1, 4, 7)")
    return figure


def _tiles(axes: Axes, images: Windows, name: str) -> None:
    """Draw images (n, 28, 28) in rows of `_COLUMNS`."""
    wide = images.reshape(-1, _COLUMNS, 28, 28).transpose(0, 2, 1, 3).reshape(-1, _COLUMNS * 28)
    axes.imshow(wide, cmap="gray", vmin=0, vmax=float(images.max()))
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel(name.replace(" ", "\n", 1), rotation=0, ha="right", va="center")


def draw_training(points: Sequence[Point], settings: TrainSettings) -> Figure:
    """Return curves of loss, detection and false alarms over the steps of both phases."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    learnt = [point for point in points if np.isfinite(point.loss)]
    right = upper.twinx()
    for axes, phase, color, name in (  # each loss has a scale of its own
        (upper, 1, "C0", "negative ELBO, nats"),
        (right, 2, "C1", "Neyman-Pearson loss"),
    ):
        chosen = [point for point in learnt if point.phase == phase]
        axes.plot(_steps(chosen, settings), [p.loss for p in chosen], color=color)
        axes.set_ylabel(name, color=color)
    lower.plot(_steps(learnt, settings), [p.detection for p in learnt], label="detection rate")
    lower.plot(_steps(learnt, settings), [p.false_alarms for p in learnt], label="false-alarm rate")
    lower.axhline(settings.rho, color="gray", linestyle=":", label=f"preset {settings.rho:g}")
    lower.set(
        xlabel="step; the second phase begins at the line", ylabel="share of test", ylim=(0, 1)
    )
    lower.legend(loc="upper left")
    for axes in (upper, lower):
        axes.axvline(settings.phase1_steps, color="black", linewidth=0.8)
    return figure


def _steps(points: Sequence[Point], settings: TrainSettings) -> list[int]:
    return [point.step + (settings.phase1_steps if point.phase == 2 else 0) for point in points]


def section(points: Sequence[Point], settings: TrainSettings, seed: int) -> Iterator[str]:
    """Yield the lines of the section."""
    yield from (MARK, "", "## The report's own experiment", "")
    yield f"`make experiment DATA=…` (seed {seed}; {processor()}). The published method on the"
    yield "report's split of MNIST: phase 1 trains the variational autoencoder on all images, phase"
    yield "2 both tails by the Neyman-Pearson loss against simulated anomalies. The threshold is"
    yield f"that of {_HELD} typical images that no phase saw, at a rate of {settings.rho:g};"
    yield "loss is that of windows held out, detection and false alarms are those of the test set."
    yield "In phase 1 the score is that of the reconstruction tail, later that of the other."
    yield from ("", f"![Digits, reconstructions and samples]({DIGITS.name})", "")
    yield f"![Loss, detection and false alarms over training]({TRAINING.name})"
    yield ""
    yield "| phase | step | loss | detection | false alarms | AUC | share of N(0, I) accepted |"
    yield "|---|---|---|---|---|---|---|"
    for point in points:
        if (np.isfinite(point.loss) and point.step % 300 == 0) or point.phase == 3:
            yield (
                f"| {point.phase} | {point.step} | {_shown(point.loss)} | {point.detection:.3f} "
                f"| {point.false_alarms:.3f} | {point.auc:.3f} | {_shown(point.accepted)} |"
            )


def _shown(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else ""


if __name__ == "__main__":
    main(sys.argv[1:])
