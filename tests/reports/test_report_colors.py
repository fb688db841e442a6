"""The fixed colors of methods: legible on both grounds, and told apart by every eye."""

import itertools
import re

import numpy as np
import pytest

from reports import drawing
from reports.page import static

# Machado, Oliveira & Fernandes 2009, severity 1, for linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
SRGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)  # to XYZ under D65


def linear(code):
    c = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(first, second):
    light, dark = sorted((float(SRGB[1] @ linear(c)) for c in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    xyz = SRGB @ np.clip(rgb, 0, 1) / SRGB.sum(1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def roles(theme):
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]+);", static(f"{theme}.css")))


def test_the_measures_by_hand():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    np.testing.assert_allclose(lab(linear("#ffffff")), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab(linear("#ff0000")), [53.24, 80.09, 67.20], atol=0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_methods_are_legible_and_told_apart(theme):
    colors = roles(theme)
    for role in drawing.FIXED:
        for ground in ("bg", "surface"):
            assert contrast(colors[role], colors[ground] + "fff" * (len(colors[ground]) == 4)) > 4.5
    for first, second in itertools.combinations(drawing.FIXED, 2):
        for eye, matrix in EYES.items():
            apart = np.linalg.norm(
                lab(matrix @ linear(colors[first])) - lab(matrix @ linear(colors[second]))
            )
            # 2.3 can just be told apart side by side; thin lines need several times that.
            assert apart > 14, (theme, first, second, eye)


def test_each_kind_of_contender_has_colors_of_its_own():
    for names in (
        ("SGD", "Momentum", "Nesterov", "RMSprop", "Adam", "Newton"),
        ("LeCun", "Glorot", "He", "Orthogonal"),
        ("none", "batch normalization", "whitening", "residual"),
        ("dense", "convolutional", "equivariant", "residual", "recurrent"),
    ):
        found = drawing.colors(list(names))
        assert all(role.startswith("m-") for role in found.values())
        assert len(set(found.values())) == len(names)
