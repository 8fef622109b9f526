"""Universal Scene Description of the head; its library is an extra."""

# pxr is compiled and has no stubs.
# pyright: reportAttributeAccessIssue=false

import tempfile
from pathlib import Path

import numpy as np

from headrecon.geometry.surface import vertex_normals
from headrecon.types import Atlas, HeadMesh

METRES = 1e-3
"""Per millimetre."""
ROUGHNESS = 0.8
"""Of skin and hair, which photos do not tell: neither a mirror nor chalk."""


def usd_crate(mesh: HeadMesh, atlas: Atlas, texture_file: str) -> bytes:
    """The head in metres, y up, with a material whose texture is a file beside it."""
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, Vt

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "head.usdc")
        stage = Usd.Stage.CreateNew(path)
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        root = UsdGeom.Xform.Define(stage, "/Head")
        stage.SetDefaultPrim(root.GetPrim())
        shape = UsdGeom.Mesh.Define(stage, "/Head/Surface")
        corners = atlas.faces.flatten().cpu().numpy()
        points = (METRES * mesh.vertices).cpu().numpy().astype(np.float32)
        shape.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
        shape.CreateFaceVertexIndicesAttr(
            Vt.IntArray.FromNumpy(mesh.faces.flatten().cpu().numpy().astype(np.int32))
        )
        shape.CreateFaceVertexCountsAttr(Vt.IntArray([3] * len(mesh.faces)))
        shape.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
        normals = vertex_normals(mesh.vertices, mesh.faces).cpu().numpy().astype(np.float32)
        shape.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals))
        shape.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
        uv = atlas.uv.cpu().numpy()[corners] * [1.0, -1.0] + [0.0, 1.0]
        places = UsdGeom.PrimvarsAPI(shape).CreatePrimvar(
            "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
        )
        places.Set(Vt.Vec2fArray.FromNumpy(uv.astype(np.float32)))
        material = UsdShade.Material.Define(stage, "/Head/Albedo")
        surface = _shader(stage, "Surface", "UsdPreviewSurface", UsdShade)
        surface.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(ROUGHNESS)
        surface.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(0.0)
        reader = _shader(stage, "Places", "UsdPrimvarReader_float2", UsdShade)
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        texture = _shader(stage, "Texture", "UsdUVTexture", UsdShade)
        texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(texture_file)
        texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
        texture.CreateInput("fallback", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(0.5))
        texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
            reader.ConnectableAPI(), "result"
        )
        surface.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(
            texture.ConnectableAPI(), "rgb"
        )
        material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(material)
        stage.GetRootLayer().Save()
        return Path(path).read_bytes()


def _shader(stage, name: str, kind: str, shade):
    """A node of the material."""
    shader = shade.Shader.Define(stage, f"/Head/Albedo/{name}")
    shader.CreateIdAttr(kind)
    return shader
