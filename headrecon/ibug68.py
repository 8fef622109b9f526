"""The 68 points that face alignment is commonly scored on, chosen among the 468 of the mesh."""

IBUG68_FROM_MESH: tuple[int, ...] = (
    # Jaw, image left to image right, at even steps along the outline with the chin in the middle.
    *(127, 234, 132, 58, 172, 136, 149, 176, 152, 400, 378, 365, 397, 288, 361, 454, 356),
    # Brows.
    *(70, 63, 105, 66, 107),
    *(336, 296, 334, 293, 300),
    # Bridge of the nose down to its tip, and its base.
    *(168, 197, 5, 4),
    *(98, 97, 2, 326, 327),
    # Eyes, each clockwise from its image-left corner.
    *(33, 160, 158, 133, 153, 144),
    *(362, 385, 387, 263, 373, 380),
    # Lips, clockwise from the image-left corner: the outer line, then the inner one.
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 81, 13, 311, 308, 402, 14, 178),
)
"""Index into the 468 points, in iBUG's order (300 Faces in-the-Wild).

iBUG marks the jaw on the outline that is seen, while these points stay on the face when it turns.

Reference: 300 Faces In-The-Wild Challenge: database and results, C. Sagonas, E. Antonakos,
G. Tzimiropoulos, S. Zafeiriou, M. Pantic, Image and Vision Computing 2016.
"""

INNER = slice(17, 68)
"""The points without those of the jaw, which belong to the view and not to the surface."""
INNER_FROM_MESH = IBUG68_FROM_MESH[INNER]
