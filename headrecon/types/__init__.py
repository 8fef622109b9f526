"""What the stages hand to each other: small frozen values with named axes.

Frames, signs and units are those of docs/conventions.md. A thing that may be missing is another
type (`Portrait` or `Rejection`), never a field that may be None.
"""

from headrecon.types.heads import (
    REGIONS,
    SKIN,
    SOURCES,
    Atlas,
    CompleteHead,
    Evidence,
    HeadMesh,
    Reconstruction,
    Refinement,
    SurfacePoints,
    Template,
)
from headrecon.types.photos import (
    Collection,
    Photo,
    Portrait,
    Rejection,
    Sighting,
    Verdict,
    Video,
)
from headrecon.types.views import (
    Camera,
    DepthMap,
    Factors,
    Head,
    NormalField,
    Stack,
    Surface,
    View,
)

__all__ = [
    "REGIONS",
    "SKIN",
    "SOURCES",
    "Atlas",
    "Camera",
    "Collection",
    "CompleteHead",
    "DepthMap",
    "Evidence",
    "Factors",
    "Head",
    "HeadMesh",
    "NormalField",
    "Photo",
    "Portrait",
    "Reconstruction",
    "Refinement",
    "Rejection",
    "Sighting",
    "Stack",
    "Surface",
    "SurfacePoints",
    "Template",
    "Verdict",
    "Video",
    "View",
]
