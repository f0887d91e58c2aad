"""Encoders and decoders for windows of any size (F, T), to build networks of.

An encoder takes windows (B, F, T) to the interface (B, h), a decoder takes the
interface back to windows.  `interface` says how large h is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Output = Literal["identity", "sigmoid"]
"""What a decoder ends with: sigmoid where windows lie between 0 and 1."""

_OUTPUTS: Final = {"identity": nn.Identity, "sigmoid": nn.Sigmoid}


class LinearEncoder(nn.Module):
    """Two layers on the window as a vector, (B, F, T) → (B, h)."""

    def __init__(
        self, bands: int, columns: int, *, hidden: int = 512, interface: int = 128
    ) -> None:
        super().__init__()
        self.interface = interface
        self.body = nn.Sequential(
            nn.Flatten(),
            nn.Linear(bands * columns, hidden),
            nn.GELU(),
            nn.Linear(hidden, interface),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.body(x)
        return h


class LinearDecoder(nn.Module):
    """Two layers from the interface to a window, (B, h) → (B, F, T)."""

    def __init__(
        self,
        bands: int,
        columns: int,
        *,
        hidden: int = 512,
        interface: int = 128,
        output: Output = "identity",
    ) -> None:
        super().__init__()
        self.interface = interface
        self.body = nn.Sequential(
            nn.Linear(interface, hidden),
            nn.GELU(),
            nn.Linear(hidden, bands * columns),
            nn.Unflatten(1, (bands, columns)),
        )
        self.output = _OUTPUTS[output]()

    def forward(self, h: Tensor) -> Tensor:
        drawn: Tensor = self.output(self.body(h))
        return drawn


class ConvEncoder(nn.Module):
    """Convolutions that each halve F and T (upwards), (B, F, T) → (B, h).

    `shape` (C, F', T') is that of the last layer, which the interface flattens.
    """

    def __init__(self, bands: int, columns: int, channels: Sequence[int] = (16, 32, 64)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((1, *channels)):
            layers += [
                nn.Conv2d(n_in, n_out, 3, stride=2, padding=1),
                nn.BatchNorm2d(n_out),
                nn.GELU(),
            ]
        self.body = nn.Sequential(*layers)
        self.shape = (channels[-1], *_halved(bands, columns, len(channels))[-1])
        self.interface = prod(self.shape)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.body(x.unsqueeze(1))
        return h.flatten(1)

    def fuse(self) -> None:
        """Take each normalisation into the convolution before it: faster, for scoring alone."""
        conv = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        norm = [layer for layer in self.body if isinstance(layer, nn.BatchNorm2d)]
        layers: list[nn.Module] = []
        for first, second in zip(conv, norm, strict=True):
            layers += [fuse_conv_bn_eval(first, second), nn.GELU()]
        self.body = nn.Sequential(*layers)


class ConvDecoder(nn.Module):
    """Convolutions that each double F and T, (B, h) → (B, F, T); the mirror of `ConvEncoder`."""

    def __init__(
        self,
        bands: int,
        columns: int,
        channels: Sequence[int] = (16, 32, 64),
        *,
        output: Output = "identity",
    ) -> None:
        super().__init__()
        self.sizes = _halved(bands, columns, len(channels))[::-1]
        self.shape = (channels[-1], *self.sizes[0])
        self.interface = prod(self.shape)
        # A shuffled convolution is three times faster on a CPU than a transposed one.
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n_in, 4 * n_out, 3, padding=1), nn.PixelShuffle(2))
            for n_in, n_out in pairwise((*channels[::-1], 1))
        )
        self.output = _OUTPUTS[output]()

    def forward(self, h: Tensor) -> Tensor:
        y = h.unflatten(1, self.shape)
        for layer, (bands, columns) in zip(self.layers, self.sizes[1:], strict=True):
            y = layer(nn.functional.gelu(y))[:, :, :bands, :columns]
        drawn: Tensor = self.output(y.squeeze(1))
        return drawn

    def start_from(self, windows: Tensor) -> None:
        """Set the last bias so that the first drawing is as bright as windows are.

        Windows that are mostly dark are else likely to be drawn black by a sigmoid, and
        to stay so.
        """
        level = windows.mean()
        if isinstance(self.output, nn.Sigmoid):
            level = torch.logit(level, eps=1e-4)
        last = self.layers[-1][0]  # type: ignore[index]
        with torch.no_grad():
            last.bias.fill_(level)


class Drawing(nn.Module):
    """A decoder with its own way from the latent space, (B, Z) → (B, F, T)."""

    def __init__(self, decoder: nn.Module, *, interface: int, latent: int) -> None:
        super().__init__()
        self.eta = nn.Linear(latent, interface)
        self.decoder = decoder

    def forward(self, z: Tensor) -> Tensor:
        drawn: Tensor = self.decoder(self.eta(z))
        return drawn


class LinearEvidence(nn.Module):
    """The interface as evidence that a window is atypical, (B, h) → (B, 1) nats."""

    def __init__(self, interface: int, *, hidden: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.body = nn.Sequential(nn.Linear(interface, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def forward(self, h: Tensor) -> Tensor:
        evidence: Tensor = self.body(self.dropout(h))
        return evidence


class PlacesEvidence(nn.Module):
    """The places of a `ConvEncoder` as evidence, (B, h) → (B, F') nats, a row for each.

    Something unusual may be at any of the N = F' T' places: the likelihood ratio of
    "at one of them" against "nowhere" is the mean of the places' own ratios.  The
    rows add up to its logarithm.  Each has an even share of what the least place says;
    what the logarithm is above that, and it is never below, is shared by what each row
    gave to the mean ratio.  So the row with most evidence has most, whatever the sign.
    """

    def __init__(self, shape: tuple[int, int, int], *, dropout: float = 0.2) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = nn.Dropout(dropout)
        self.place = nn.Conv2d(shape[0], 1, 1)

    def forward(self, h: Tensor) -> Tensor:
        place = self.place(self.dropout(h).unflatten(1, self.shape)).squeeze(1)  # (B, F', T')
        rows = torch.logsumexp(place, dim=2)
        total = torch.logsumexp(rows, dim=1, keepdim=True)
        count = place.new_tensor(float(place[0].numel()))
        least = place.amin(dim=(1, 2)).unsqueeze(1)
        gain = total - count.log() - least
        evidence: Tensor = least / place.shape[1] + gain * torch.exp(rows - total)
        return evidence


def _halved(bands: int, columns: int, times: int) -> list[tuple[int, int]]:
    """Return (F, T) and what is left of it after each halving, upwards."""
    sizes = [(bands, columns)]
    for _ in range(times):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes
