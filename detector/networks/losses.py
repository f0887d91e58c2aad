"""What is minimised: the evidence bound, and false-alarm minus detection rate.

And what needs no learning: statistics of windows, by band, that evidence starts from.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

_RARE: Final = 0.01  # share of a window's places that an unknown sound fills
_LOUD: Final = 3.0  # its mean height there, in standard deviations of typical sound
_GAMMA: Final = 1.5  # of levels: of a cube root of power, its amplitude
_NU_FREQUENCY, _NU_TIME = 2.0, 0.5
_LASTING: Final = 0.25  # of a window: half a second of two
_SILENT: Final = 1e-6  # added to squares, so that a window of nothing is an even one
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


def power_law(x: Tensor) -> Tensor:
    """Return the evidence for a narrow sound that lasts, (B, F, T) → (B, F) nats.

    It asks neither how loud a window is nor for noise of unit variance.  With u what is
    above zero to the power of `_GAMMA`, A is u over its norm along frequency and B is u
    over its norm along time; a spectrum has the sum over bands of
    A^(2 _NU_FREQUENCY) B^(2 _NU_TIME), and a window the largest mean S over a quarter of
    it on end.  Told is ln(1 + S / S of an even window), shared by what each band gave to S.
    The exponents were chosen on the calls of right whales (docs/decisions/0003).

    Source: Helble et al., JASA 131(4), 2012, equations 6 to 8, without the conditional
    mean, which levels above a background have lost already.
    """
    bands, columns = x.shape[1:]
    square = x.clamp_min(0).pow(2 * _GAMMA) + _SILENT
    in_spectrum = bands * square / square.sum(dim=1, keepdim=True)  # A^2, 1 where even
    in_time = columns * square / square.sum(dim=2, keepdim=True)
    power = in_spectrum.pow(_NU_FREQUENCY) * in_time.pow(_NU_TIME) / bands
    means = avg_pool1d(power, max(round(_LASTING * columns), 1), stride=1)  # (B, F, runs)
    best = means.sum(dim=1).argmax(dim=1)
    by_band = means.gather(2, best[:, None, None].expand(-1, bands, 1)).squeeze(2)
    total = by_band.sum(dim=1, keepdim=True)
    return torch.log1p(total) * by_band / total


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
