"""What is minimised: the evidence bound, and false-alarm minus detection rate."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

_RARE: Final = 0.01  # share of a window's places that an unknown sound fills
_LOUD: Final = 3.0  # its mean height there, in standard deviations of typical sound
_CERTAIN: Final = 1e-6  # from 0 and 1: what is drawn nearer counts as so near, in float32 too
_SHARPNESS: Final = 4.0  # sigmoid slope at the threshold, per spread of the typical scores


def squared_error(x: Tensor, drawn: Tensor) -> Tensor:
    """Return half the squared error of each band, 2 x (B, F, T) → (B, F) nats.

    With levels scaled to unit variance this is the negative log-likelihood of a
    Gaussian around what was drawn, but for a constant.
    """
    return 0.5 * (x - drawn).square().sum(dim=2)


def binary_cross_entropy(x: Tensor, drawn: Tensor) -> Tensor:
    """Return the cross entropy of each band, 2 x (B, F, T) in 0..1 → (B, F) nats.

    This is the negative log-likelihood of Bernoulli variables whose means were drawn;
    values between 0 and 1 are expectations of such.  A drawing that is as good as 0 or
    1 and wrong costs some 14 nats a place, and neither it nor its gradient overflows.

    Source: Kingma and Welling, arXiv 1312.6114, appendix C.1.
    """
    p = drawn.clamp(_CERTAIN, 1 - _CERTAIN)
    return -(x * p.log() + (1 - x) * torch.log1p(-p)).sum(dim=2)


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence of latent Gaussians from N(0, I), 2 x (B, Z) → (B,) nats.

    Source: Kingma and Welling, arXiv 1312.6114, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def draw_latent(mean: Tensor, log_variance: Tensor, *, generator: torch.Generator) -> Tensor:
    """Return a sample of each latent Gaussian, 2 x (B, Z) → (B, Z), through which it is learnt."""
    noise = torch.randn(mean.shape, generator=generator, device=generator.device).to(mean)
    return mean + noise * torch.exp(0.5 * log_variance)


def sparse_excess(x: Tensor) -> Tensor:
    """Return the evidence for a few loud places in noise of unit variance, (B, F, T) → (B, F) nats.

    Above zero this is the log-likelihood ratio of N(0, 1) with a share of `_RARE`
    replaced by an exponential distribution above zero, against N(0, 1) alone.  Below
    zero it is not: there that ratio is ln 0.99, and the one at zero is taken instead,
    ln 0.9984, so that the evidence falls nowhere and has no step at zero.

    Source: Donoho and Jin, Annals of Statistics 32(3), 2004, for why the ratio of
    a sparse mixture is what finds few weak places among many.
    """
    above = x.clamp_min(0)
    log_ratio = 0.5 * above.square() - above / _LOUD + math.log(math.sqrt(2 * math.pi) / _LOUD)
    floor = torch.full_like(log_ratio, math.log1p(-_RARE))
    return torch.logaddexp(floor, log_ratio + math.log(_RARE)).sum(dim=2)


def neyman_pearson(typical: Tensor, atypical: Tensor, rho: float) -> Tensor:
    """Return false-alarm rate minus detection rate, scores 2 x (B,) → ().

    The threshold is where a share `rho` of the typical scores lies above; steps
    are softened to sigmoids whose width follows the spread of those scores, so
    that they do not saturate.

    Source: Koizumi et al. 2019, the objective J = TPR - FPR.
    """
    with torch.no_grad():
        threshold = torch.quantile(typical, 1 - rho)
        slope = _SHARPNESS / typical.std().clamp_min(1e-3)
    false_alarms = torch.sigmoid(slope * (typical - threshold)).mean()
    detections = torch.sigmoid(slope * (atypical - threshold)).mean()
    return false_alarms - detections
