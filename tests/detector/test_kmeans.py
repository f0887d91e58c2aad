"""k-means finds what lies apart, the same for a seed, and bears points that are equal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detector.networks.kmeans import kmeans

from .blobs import blobs


@pytest.mark.parametrize("seed", range(20))
def test_clusters_that_lie_apart_are_found_from_every_seed(seed: int) -> None:
    centres = [[float(10 * (k % 4)), float(10 * (k // 4))] for k in range(12)]
    z = blobs(600, centres)
    labels, found = kmeans(z, 12, seed=seed)
    spread = [z[labels == k].std(dim=0).max() for k in range(12)]
    assert max(spread) < 1
    assert torch.equal(labels, kmeans(z, 12, seed=seed)[0])
    assert np.allclose(sorted(found.round().tolist()), sorted(centres))


@pytest.mark.parametrize("places", [1, 2, 3])
def test_equal_points_are_in_one_cluster(places: int) -> None:
    z = torch.eye(3, dtype=torch.float64)[torch.arange(90) % places]
    labels, _ = kmeans(z, 5, seed=0)
    assert len(labels.unique()) == places
    assert all(len(labels[k::places].unique()) == 1 for k in range(places))
