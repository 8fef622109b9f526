"""Each format, read back by a library that has not written it."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch3d.io import IO, load_obj
from pytorch3d.io.experimental_gltf_io import MeshGlbFormat

from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.export import FORMATS, further, glb, picture, why_not
from tests import artifacts

MESH = artifacts.head_mesh()
ATLAS = artifacts.atlas(MESH)
CORNERS = MESH.vertices[MESH.faces.flatten()]


def color_at(image: np.ndarray, uv: torch.Tensor) -> np.ndarray:
    """Nearest texels of a picture whose rows run downward with v."""
    height, width = image.shape[:2]
    column, row = (uv * torch.tensor([width, height])).long().T.numpy()
    return image[row, column]


def test_the_glb_is_in_metres_with_its_texture_the_right_way_up(tmp_path: Path) -> None:
    path = tmp_path / "head.glb"
    path.write_bytes(glb(MESH, ATLAS))
    reader = IO()
    reader.register_meshes_format(MeshGlbFormat())
    mesh = reader.load_mesh(path, include_textures=True)
    torch.testing.assert_close(mesh.verts_list()[0], CORNERS / 1000, rtol=0, atol=1e-6)
    # What a renderer shows in the middle of each triangle is what the atlas has there.
    middle = ATLAS.uv[ATLAS.faces].mean(dim=1)
    expected = color_at(np.asarray(picture(ATLAS)), middle) / 255.0
    shares = torch.full((1, len(ATLAS.faces), 1, 1, 3), 1 / 3)
    faces = torch.arange(len(ATLAS.faces)).reshape(1, -1, 1, 1)
    assert mesh.textures is not None
    shown = mesh.textures.sample_textures(Fragment(faces, shares))[0, :, 0, 0]
    np.testing.assert_allclose(shown, expected, atol=0.04)


class Fragment:
    """What pytorch3d's textures want to know of a rendered picture."""

    def __init__(self, faces: torch.Tensor, shares: torch.Tensor) -> None:
        self.pix_to_face, self.bary_coords = faces, shares


def test_the_obj_is_in_millimetres_and_names_its_texture(tmp_path: Path) -> None:
    for name, content in further(MESH, ATLAS, "obj").items():
        (tmp_path / name).write_bytes(content)
    vertices, faces, rest = load_obj(tmp_path / "head.obj")
    torch.testing.assert_close(
        vertices[faces.verts_idx], MESH.vertices[MESH.faces], rtol=0, atol=1e-4
    )
    assert rest.verts_uvs is not None
    uv = rest.verts_uvs[faces.textures_idx]
    torch.testing.assert_close(1.0 - uv[..., 1], ATLAS.uv[ATLAS.faces][..., 1], atol=1e-5, rtol=0)
    assert rest.texture_images is not None
    [image] = rest.texture_images.values()
    np.testing.assert_allclose(image, np.asarray(picture(ATLAS)) / 255.0, atol=1e-3)
    normals = rest.normals[faces.normals_idx]
    expected = vertex_normals(MESH.vertices, MESH.faces)[MESH.faces]
    torch.testing.assert_close(normals, expected, rtol=0, atol=1e-4)


def test_the_stl_has_the_triangles_in_millimetres() -> None:
    content = further(MESH, ATLAS, "stl")["head.stl"]
    [count] = struct.unpack("<I", content[80:84])
    assert count == len(MESH.faces)
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    triangles = np.frombuffer(content[84:], kind)["corners"]
    np.testing.assert_allclose(triangles, MESH.vertices[MESH.faces], atol=1e-4)


def test_usd_is_in_metres_with_y_up(tmp_path: Path) -> None:
    pxr = pytest.importorskip("pxr.Usd")
    geometry = pytest.importorskip("pxr.UsdGeom")
    files = further(MESH, ATLAS, "usd")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    stage = pxr.Stage.Open(str(tmp_path / "head.usdc"))
    assert geometry.GetStageUpAxis(stage) == "Y"
    assert geometry.GetStageMetersPerUnit(stage) == 1.0
    shape = geometry.Mesh(stage.GetPrimAtPath("/Head/Surface"))
    np.testing.assert_allclose(shape.GetPointsAttr().Get(), MESH.vertices / 1000, atol=1e-6)
    indices = np.array(shape.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    np.testing.assert_array_equal(indices, MESH.faces)
    asset = stage.GetPrimAtPath("/Head/Albedo/Texture").GetAttribute("inputs:file").Get()
    assert asset.path in files
    image = Image.open(io.BytesIO(files[asset.path]))
    np.testing.assert_array_equal(np.asarray(image), np.asarray(picture(ATLAS)))


def test_what_cannot_be_written_is_said_in_one_line() -> None:
    assert why_not("fbx") == "formats has 'fbx', but may have obj, stl, usd"
    assert [why_not(name) for name in FORMATS[:2]] == ["", ""]
