"""The network by itself: scoring, rejection sampling, and training on a day of evenings.

`python -m benchmarks.network` prints the quick rows; with `--training` it also trains
on 24 hours of windows of noise: 100 steps of each phase, from which the time of all
is told.  Where onnx, onnxscript and onnxruntime are installed, which the project does
not ask for, the frozen network is compared with ONNX Runtime.
"""

from __future__ import annotations

import copy
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import Row, median_ms
from detector import PRETRAINED
from detector.networks.gumiho import UNLIKELY
from detector.networks.methods import Discriminating, NetworkSettings
from detector.scoring.checkpoint import read_model
from detector.training.phases import TrainSettings
from detector.training.train import Trainer

BATCH = 32  # windows: what a scorer takes at a time
LATENTS = 100_000
DAY = 24 * 3600  # windows
STEPS = 100


def main() -> None:
    """Print the rows."""
    torch.set_num_threads(1)
    for what, measured, target in rows():
        print(f"{what}: {measured}  (target: {target or 'none'})", flush=True)
    if "--training" in sys.argv:
        print(": ".join(training()[:2]))


def rows() -> Iterator[Row]:
    """Yield how fast the pretrained network scores and draws, on one thread."""
    network = read_model(PRETRAINED).network
    frozen = copy.deepcopy(network)
    frozen.encoder.fuse()
    x = torch.randn(BATCH, network.settings.bands, network.settings.columns)
    with torch.inference_mode():
        eager_ms = median_ms(lambda: frozen.evidence(x), 31)
    yield "network, torch eager, one core: windows a second", f"{1e3 * BATCH / eager_ms:.0f}", ""
    if all(find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        yield from _onnx_rows(frozen, x, eager_ms)
    generator = torch.Generator().manual_seed(1)
    spent_ms = median_ms(
        lambda: network.latents(LATENTS, condition=UNLIKELY, generator=generator), 5
    )
    yield f"rejection sampling of {LATENTS} latent vectors", f"{spent_ms / 1e3:.2f} s", "1 s"


class _Evidence(nn.Module):
    def __init__(self, network: Discriminating) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.evidence(x)


def _onnx_rows(network: Discriminating, x: Tensor, eager_ms: float) -> Iterator[Row]:
    run = _onnx(network, x)
    spent_ms = median_ms(lambda: run(x.numpy()), 31)
    off = float(np.abs(run(x.numpy()) - network.evidence(x).numpy()).max())
    yield (
        "network, ONNX Runtime: windows a second, against torch, largest difference",
        f"{1e3 * BATCH / spent_ms:.0f}, {eager_ms / spent_ms:.1f} ×, {off:.0e}",
        "1e-6",
    )


def _onnx(
    network: Discriminating, x: Tensor
) -> Callable[[np.ndarray[tuple[int, ...], np.dtype[np.float32]]], np.ndarray]:
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(_Evidence(network), (x,), path, input_names=["x"], output_names=["e"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda values: np.asarray(session.run(None, {"x": values})[0])


def training() -> Row:
    """Return what training on a day of typical and half a day of other windows takes."""
    torch.set_num_threads(2)
    torch.set_flush_denormal(True)
    shape = NetworkSettings(96, 24)
    rng = np.random.default_rng(1)
    typical = np.empty((DAY, 96, 24), np.float16)
    for k in range(0, DAY, 3600):
        typical[k : k + 3600] = rng.standard_normal((3600, 96, 24), dtype=np.float32)
    whole = TrainSettings(roll=True, shift_bands=2)
    settings = replace(whole, phase1_steps=STEPS, phase2_steps=STEPS)
    various = typical[: DAY // 2] + np.float16(0.1)
    trainer = Trainer(shape, typical, various, settings)
    begin_s, spent_s = time.perf_counter(), [0.0]
    for report in trainer.phases():
        spent_s.append(time.perf_counter() - begin_s)
        print(report, flush=True)
    steps_s = (spent_s[1], spent_s[3] - spent_s[2])  # 100 of each phase, and one check
    other_s = spent_s[-1] - sum(steps_s)  # the mixture is fitted twice
    wanted = (whole.phase1_steps, whole.phase2_steps)
    training_s = sum(s * n / STEPS for s, n in zip(steps_s, wanted, strict=True)) + other_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        "training on 24 h, two cores: time, peak memory",
        f"{training_s / 60:.1f} min, {peak_mb:.0f} MB",
        "15 min, 2000 MB",
    )


if __name__ == "__main__":
    main()
