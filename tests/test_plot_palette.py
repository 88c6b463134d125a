"""The colours of figures, as colour-blind eyes see them and in grey.

Matrices of full dichromacy on linear RGB: Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, Table 1.
Distances are Euclidean in CIELAB (CIE 1976, D65), where about 2.3 is just seen between patches side by side.
"""

from itertools import combinations

import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.plot._common import CLASS_ALPHA, CLASS_COLOURS

EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour, eyes="all cones", alpha=1.0):
    """L*, a*, b* of a colour on white paper."""
    rgb = alpha * np.array([int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]) + 1.0 - alpha
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = XYZ @ np.clip(np.asarray(EYES[eyes]) @ linear, 0.0, 1.0) / XYZ.sum(axis=1)
    f = np.where(seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def nearest(colours, eyes, alpha=1.0):
    return min(np.linalg.norm(lab(a, eyes, alpha) - lab(b, eyes, alpha)) for a, b in combinations(colours, 2))


def test_known_colours_have_their_lightness():
    """White is L* = 100 without colour, and the primary red of sRGB is (53.24, 80.09, 67.20)."""
    np.testing.assert_allclose(lab("#ffffff"), [100.0, 0.0, 0.0], atol=0.02)
    np.testing.assert_allclose(lab("#ff0000"), [53.24, 80.09, 67.20], atol=0.02)


def test_simulated_eyes_confuse_what_they_are_known_to_confuse():
    assert np.linalg.norm(lab("#d62728") - lab("#2ca02c")) > 100.0
    red_green = [np.linalg.norm(lab("#d62728", eyes) - lab("#2ca02c", eyes)) for eyes in ("deuteranopia", "tritanopia")]
    assert red_green[0] < 45.0 < 90.0 < red_green[1]


@pytest.mark.parametrize("eyes", EYES)
def test_curves_are_told_apart_by_all_eyes(eyes):
    assert np.linalg.norm(lab(jn.plot.KIND_COLOURS["E"], eyes) - lab(jn.plot.KIND_COLOURS["I"], eyes)) > 80.0
    assert nearest(jn.plot.COLOURS, eyes) > 25.0


@pytest.mark.parametrize("eyes", EYES)
def test_classes_of_a_diagram_are_told_apart_by_all_eyes(eyes):
    assert nearest(CLASS_COLOURS, eyes, CLASS_ALPHA) > 17.0


def test_curves_differ_in_grey_and_from_paper():
    lightness = sorted(lab(colour)[0] for colour in jn.plot.COLOURS)
    assert min(np.diff(lightness)) > 5.5
    assert lightness[-1] < 70.0
    assert abs(lab(jn.plot.KIND_COLOURS["E"])[0] - lab(jn.plot.KIND_COLOURS["I"])[0]) > 20.0
