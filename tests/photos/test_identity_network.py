"""The network gives the points that the library gives from which its weights are."""

import dlib
import numpy as np
import torch

from headrecon.photos.identity_network import read_identity_network
from headrecon.photos.weights import weights


def test_points_are_those_of_dlib():
    file = weights("face_identity")
    theirs = dlib.face_recognition_model_v1(str(file))  # pyright: ignore[reportAttributeAccessIssue]
    ramp = np.linspace(0, 255, 150).round()[:, None, None].repeat(150, 1).repeat(3, 2)
    noise = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3))
    chips = np.concatenate([ramp[None], noise]).astype(np.uint8)
    wanted = np.array([theirs.compute_face_descriptor(chip) for chip in chips])
    found = read_identity_network(file)(torch.from_numpy(chips).movedim(-1, 1).float())
    assert np.abs(found.numpy() - wanted).max() < 1e-5
    assert np.abs(wanted[0] - wanted[1:]).max() > 0.1
