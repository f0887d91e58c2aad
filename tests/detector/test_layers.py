"""Encoders and decoders fit windows of any size, and what they say adds up."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.networks.layers import (
    ConvDecoder,
    ConvEncoder,
    LinearDecoder,
    LinearEncoder,
    LinearEvidence,
    Output,
    PlacesEvidence,
)

sizes = st.integers(1, 41)


@settings(max_examples=25)
@given(bands=sizes, columns=sizes, depth=st.integers(1, 3))
def test_convolutions_give_back_windows_of_any_size(bands: int, columns: int, depth: int) -> None:
    channels = (2, 3, 4)[:depth]
    encoder = ConvEncoder(bands, columns, channels)
    decoder = ConvDecoder(bands, columns, channels)
    h = encoder(torch.randn(3, bands, columns))
    assert h.shape == (3, encoder.interface)
    assert decoder.interface == encoder.interface
    assert decoder(h).shape == (3, bands, columns)


@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_linear_layers_give_back_windows_of_any_size(output: Output) -> None:
    encoder = LinearEncoder(7, 5, hidden=8, interface=4)
    decoder = LinearDecoder(7, 5, hidden=8, interface=4, output=output)
    h = encoder(torch.randn(3, 7, 5))
    assert h.shape == (3, 4)
    assert decoder(h).shape == (3, 7, 5)
    assert LinearEvidence(4)(h).shape == (3, 1)


def test_a_sigmoid_decoder_draws_between_nothing_and_one() -> None:
    h = 100 * torch.randn(20, ConvDecoder(9, 6, (3, 4)).interface)
    drawn = ConvDecoder(9, 6, (3, 4), output="sigmoid")(h)
    assert 0 <= drawn.min() < drawn.max() <= 1


@pytest.mark.parametrize(("output", "level"), [("identity", -3.0), ("sigmoid", 0.13)])
def test_a_decoder_starts_as_bright_as_its_windows(output: Output, level: float) -> None:
    decoder = ConvDecoder(12, 8, (3, 4), output=output)
    decoder.start_from(torch.full((5, 12, 8), level))
    drawn = decoder(torch.zeros(1, decoder.interface))
    assert drawn.mean().item() == pytest.approx(level, abs=0.2)


def test_the_evidence_of_places_is_the_logarithm_of_their_mean_ratio() -> None:
    tail = PlacesEvidence((4, 3, 5)).eval()
    h = torch.randn(6, 60)
    places = tail.place(h.unflatten(1, (4, 3, 5))).flatten(1)
    assert torch.allclose(tail(h).sum(1), places.exp().mean(1).log(), atol=1e-5)


def test_the_evidence_of_places_lies_in_the_row_that_gave_it() -> None:
    tail = PlacesEvidence((1, 3, 5)).eval()
    with torch.no_grad():
        tail.place.weight.fill_(1.0)
        tail.place.bias.zero_()  # type: ignore[union-attr]
    h = torch.zeros(1, 1, 3, 5)
    h[0, 0, 1, 2] = 9.0
    rows = tail(h.flatten(1))[0]
    assert rows[1] > 0.99 * rows.sum() > 5


@pytest.mark.parametrize("level", [-30.0, -3.0, 0.0, 3.0, 30.0])
def test_rows_with_more_evidence_get_more_whatever_the_sign(level: float) -> None:
    tail = PlacesEvidence((1, 6, 5)).eval()
    with torch.no_grad():
        tail.place.weight.fill_(1.0)
        tail.place.bias.fill_(level)  # type: ignore[union-attr]
    places = 2 * torch.randn(40, 6, 5, generator=torch.Generator().manual_seed(1))
    rows = tail(places.flatten(1))
    told = (level + places).logsumexp(2)
    total = (level + places).flatten(1).exp().mean(1).log()
    assert torch.allclose(rows.sum(1), total, rtol=1e-5, atol=1e-5)
    assert torch.equal(rows.argsort(1), told.argsort(1))


def test_the_evidence_of_places_stays_finite() -> None:
    tail = PlacesEvidence((2, 3, 3))
    for size in (1e3, 1e6):
        assert torch.isfinite(tail(size * torch.randn(4, 18))).all()


def test_a_fused_encoder_says_the_same() -> None:
    encoder = ConvEncoder(13, 9, (3, 4))
    for _ in range(20):
        encoder(3 * torch.randn(32, 13, 9) + 1)  # gives the normalisation something to do
    encoder.eval()
    x = torch.randn(5, 13, 9)
    before = encoder(x)
    encoder.fuse()
    assert torch.allclose(encoder(x), before, atol=1e-5)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in encoder.modules())
