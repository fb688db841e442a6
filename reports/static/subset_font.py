"""Cuts STIX Two Math down to what the page's formulas use. Needed only to change the font.

    npm pack @fontsource/stix-two-math && tar xzf fontsource-stix-two-math-*.tgz
    pip install fonttools brotli
    python reports/static/subset_font.py package/files/stix-two-math-latin-400-normal.woff2

The MATH table stays: browsers take the placement of scripts and fractions from it.
"""

import sys
from pathlib import Path

from fontTools import subset

RANGES = (  # what latex2mathml and the browser's italics need
    (0x20, 0x7E), (0x1D434, 0x1D467),  # italic letters
    (0x1D6FC, 0x1D71B),  # italic Greek, small
)  # fmt: skip
OTHERS = "\u00a0¬±·×‖…′‾\u0305¯ˆ˜→←↔⇒↦∀∂∃∅∇∈∏∑−∘√∝∞∩∪≈≃≠≡≤≥≪≫≺≻⊂⊙⊤⋅⋯ΓΔΘΛΣΦΨΩℓℒℝℕ𝔼𝕍𝒟𝒩𝒪ℱℎ↑↓∼ψχ"


def main(source: str) -> None:
    """Write the subset beside this script."""
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = []
    options.drop_tables += ["GSUB", "GPOS", "GDEF"]
    options.name_IDs = [0, 1, 2, 13, 14]  # copyright and license stay
    options.notdef_outline = True
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    points = {point for low, high in RANGES for point in range(low, high + 1)}
    cutter.populate(unicodes=points | {ord(character) for character in OTHERS})
    cutter.subset(font)
    target = Path(__file__).with_name("stix-two-math-subset.woff2")
    subset.save_font(font, str(target), options)
    print(target, target.stat().st_size, "bytes,", len(font.getGlyphOrder()), "glyphs")


if __name__ == "__main__":
    main(sys.argv[1])
