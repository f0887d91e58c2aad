"""Two ways to tell the unusual with a discriminator network, by the same three phases.

`published` draws typical sound with its discriminator tail and scores the error.
`ratio` estimates with it what the lemma says is most powerful: the likelihood ratio
of sound that is not typical against sound that is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from detector.networks.gumiho import DISCRIMINATOR, DiscriminatorNetwork
from detector.networks.layers import (
    ConvDecoder,
    ConvEncoder,
    Drawing,
    LinearEvidence,
    Output,
    PlacesEvidence,
)
from detector.networks.losses import (
    binary_cross_entropy,
    neyman_pearson,
    power_law,
    sparse_excess,
    squared_error,
)

Method = Literal["published", "ratio"]
Evidence = Literal["places", "whole"]
_DROPOUT: Final = 0.3  # of the interface, where the evidence is that of the whole window


@dataclass(frozen=True)
class NetworkSettings:
    """Shape of a convolutional network: a window (F, T), latent size Z, channels, M parts.

    Each layer of channels halves F and T.  `noise` says that typical windows are noise
    of unit variance in each place, so that the evidence of a few loud places can be
    said without learning it; where they are not, that of a narrow sound can, at `places`.
    `output` says how they are drawn: as means of Gaussians,
    or by a sigmoid as those of Bernoulli variables, for windows that lie between 0 and 1.
    `evidence` is looked for at `places`, one of which is
    enough, or in the `whole` window, where what is unusual is its shape.
    """

    bands: int
    columns: int
    method: Method = "ratio"
    latent: int = 32
    channels: tuple[int, ...] = (16, 32, 64)
    parts: int = 8
    noise: bool = True
    output: Output = "identity"
    evidence: Evidence = "places"


class Discriminating(DiscriminatorNetwork):
    """A convolutional discriminator network that scores windows by a method."""

    encoder: ConvEncoder
    decoder: ConvDecoder

    def __init__(self, settings: NetworkSettings) -> None:
        encoder = ConvEncoder(settings.bands, settings.columns, settings.channels)
        super().__init__(
            encoder,
            _decoder(settings),
            interface=encoder.interface,
            latent=settings.latent,
            parts=settings.parts,
        )
        self.settings = settings

    def error(self, x: Tensor, drawn: Tensor) -> Tensor:
        """Return the negative log-likelihood of windows where they are drawn, (B,) nats."""
        bernoulli = self.settings.output == "sigmoid"
        by_band = binary_cross_entropy if bernoulli else squared_error
        return by_band(x, drawn).sum(dim=1)

    def evidence(self, x: Tensor) -> Tensor:
        """Return how unusual windows are by band, (B, F, T) → (B, F); the score is the sum."""
        raise NotImplementedError

    def scores(self, x: Tensor) -> Tensor:
        """Return how unusual windows are, (B, F, T) → (B,) nats."""
        return self.evidence(x).sum(dim=1)

    def separation(self, typical: Tensor, atypical: Tensor, rho: float) -> Tensor:
        """Return what the second phase minimises, 2 × (B, F, T) → ()."""
        scores = self.scores(torch.cat((typical, atypical)))
        return self.separation_of_scores(scores[: len(typical)], scores[len(typical) :], rho)

    def separation_of_scores(self, typical: Tensor, atypical: Tensor, rho: float) -> Tensor:
        """Return the same of the windows' scores, (B,) and (B',) → ()."""
        raise NotImplementedError

    def start_discriminator(self) -> None:
        """Prepare the discriminator tail for the second phase, after the first."""


class Published(Discriminating):
    """The score is the squared error of the discriminator tail, which draws typical sound.

    Source: Koizumi et al. 2019.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        decoder = _decoder(settings)
        drawing = Drawing(decoder, interface=decoder.interface, latent=settings.latent)
        self.add_tail(DISCRIMINATOR, drawing, loss=self.error)

    def evidence(self, x: Tensor) -> Tensor:
        return squared_error(x, self(x, DISCRIMINATOR))

    def separation_of_scores(self, typical: Tensor, atypical: Tensor, rho: float) -> Tensor:
        return neyman_pearson(typical, atypical, rho)

    def start_discriminator(self) -> None:
        """Start from the reconstruction tail: from noise the lemma's loss learns little."""
        tail = self.tails[DISCRIMINATOR]
        assert isinstance(tail, Drawing)
        tail.eta.load_state_dict(self.eta.state_dict())
        tail.decoder.load_state_dict(self.decoder.state_dict())


class Ratio(Discriminating):
    """The score is a log-likelihood ratio, which the discriminator tail has learnt.

    Trained to tell windows that are typical from as many that are not, the tail's
    logarithm of odds is the logarithm of the likelihood ratio of the two; and by the
    Neyman-Pearson lemma no other test finds more at the same rate of false alarms.
    The tail need only learn what a statistic does not say by itself: that of a sparse
    mixture where typical windows are noise, and the power law's where they are not.

    Source: Sugiyama, Suzuki and Kanamori, "Density Ratio Estimation in Machine
    Learning", 2012, chapter 4 (logistic regression).
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        tail, height = _tail(settings, self.encoder)
        self.add_tail(DISCRIMINATOR, tail, loss=_odds, reads="interface")
        row = torch.arange(settings.bands) // height  # of each band
        self._row: Tensor
        self._share: Tensor  # of each band in its row's evidence
        self.register_buffer("_row", row, persistent=False)
        self.register_buffer("_share", 1 / torch.bincount(row)[row], persistent=False)
        self.weight = nn.Parameter(torch.tensor(0.5))  # of the statistic
        self.offset = nn.Parameter(torch.tensor(0.0))

    def evidence(self, x: Tensor) -> Tensor:
        rows: Tensor = self(x, DISCRIMINATOR)
        known = rows[:, self._row] * self._share + self.offset / x.shape[1]
        statistic = _statistic(self.settings)
        return known + self.weight * statistic(x) if statistic else known

    def separation_of_scores(self, typical: Tensor, atypical: Tensor, rho: float) -> Tensor:
        del rho  # the ratio is best for every rate
        return softplus(typical).mean() + softplus(-atypical).mean()


_METHODS: Final = {"published": Published, "ratio": Ratio}


def build(settings: NetworkSettings) -> Discriminating:
    """Return an untrained network for a method."""
    return _METHODS[settings.method](settings)


def _tail(settings: NetworkSettings, encoder: ConvEncoder) -> tuple[nn.Module, int]:
    """Return what tells evidence by rows, (B, h) → (B, rows), and the bands of a row."""
    if settings.evidence == "whole":
        return LinearEvidence(encoder.interface, dropout=_DROPOUT), settings.bands
    return PlacesEvidence(encoder.shape), 2 ** len(settings.channels)


def _statistic(settings: NetworkSettings) -> Callable[[Tensor], Tensor] | None:
    """Return what is said without learning it, (B, F, T) → (B, F), or None of a shape."""
    if settings.noise:
        return sparse_excess
    return power_law if settings.evidence == "places" else None


def _decoder(settings: NetworkSettings) -> ConvDecoder:
    return ConvDecoder(settings.bands, settings.columns, settings.channels, output=settings.output)


def _odds(x: Tensor, evidence: Tensor) -> Tensor:
    """Return the loss of windows taken for atypical."""
    del x
    return softplus(-evidence.sum(dim=1))
