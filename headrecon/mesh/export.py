"""The finished head in the formats that other programs read."""

import io
from importlib.util import find_spec

import numpy as np
import trimesh
from PIL import Image
from trimesh.exchange.obj import export_obj
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial, SimpleMaterial

from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.usd import METRES, ROUGHNESS, usd_crate
from headrecon.types import Atlas, HeadMesh

FORMATS = ("obj", "stl", "usd")
"""Those that are written on demand, beside PLY and GLB."""


def why_not(name: str) -> str:
    """What keeps a format from being written; empty if nothing does."""
    if name not in FORMATS:
        return f"formats has {name!r}, but may have {', '.join(FORMATS)}"
    if name == "usd" and find_spec("pxr") is None:
        return "formats has 'usd', which needs another library: pip install usd-core"
    return ""


def glb(mesh: HeadMesh, atlas: Atlas) -> bytes:
    """Binary glTF: metres, y up, the texture sRGB as the format demands, normals without seams."""
    material = PBRMaterial(
        name="albedo",
        baseColorTexture=picture(atlas),
        metallicFactor=0.0,
        roughnessFactor=ROUGHNESS,
    )
    exported = _unwrapped(mesh, atlas, METRES, material).export(
        file_type="glb", include_normals=True
    )
    assert isinstance(exported, bytes)
    return exported


def further(mesh: HeadMesh, atlas: Atlas, name: str) -> dict[str, bytes]:
    """Files by name for one of `FORMATS`; OBJ and STL are in millimetres, USD in metres."""
    if name == "stl":
        plain = trimesh.Trimesh(
            mesh.vertices.cpu().numpy(), mesh.faces.cpu().numpy(), process=False
        )
        exported = plain.export(file_type="stl")
        assert isinstance(exported, bytes)
        return {"head.stl": exported}
    if name == "obj":
        return _obj(mesh, atlas)
    return {"head.usdc": usd_crate(mesh, atlas, "head.png"), "head.png": _png(atlas)}


def picture(atlas: Atlas) -> Image.Image:
    """The texture as a picture, the first row on top."""
    return Image.fromarray(atlas.picture.permute(1, 2, 0).cpu().numpy())


def _unwrapped(
    mesh: HeadMesh, atlas: Atlas, unit: float, material: PBRMaterial | SimpleMaterial
) -> trimesh.Trimesh:
    """One vertex for each corner of the atlas, with its place in a picture whose v points up."""
    uv = atlas.uv.cpu().numpy().astype(np.float64)
    normals = vertex_normals(mesh.vertices, mesh.faces)[atlas.vertex].cpu().numpy()
    return trimesh.Trimesh(
        unit * mesh.vertices[atlas.vertex].cpu().numpy(),
        atlas.faces.cpu().numpy(),
        vertex_normals=normals,
        visual=TextureVisuals(uv=np.column_stack([uv[:, 0], 1.0 - uv[:, 1]]), material=material),
        process=False,
    )


def _png(atlas: Atlas) -> bytes:
    content = io.BytesIO()
    picture(atlas).save(content, "PNG")
    return content.getvalue()


def _obj(mesh: HeadMesh, atlas: Atlas) -> dict[str, bytes]:
    """Wavefront OBJ, its material and its texture."""
    image = picture(atlas)
    image.format = "PNG"
    material = SimpleMaterial(name="head", image=image, diffuse=[255, 255, 255, 255])
    text, parts = export_obj(
        _unwrapped(mesh, atlas, 1.0, material),
        include_normals=True,
        return_texture=True,
        mtl_name="head.mtl",
        header="Head in millimetres",
    )
    files = {
        name: part if isinstance(part, bytes) else part.encode() for name, part in parts.items()
    }
    return {"head.obj": text.encode(), **files}
