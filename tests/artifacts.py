"""Small artifacts that look like something: a shaded ball with a nose to the image right."""

import torch
import trimesh
from jaxtyping import Float
from torch import Tensor

from headrecon.types import (
    SOURCES,
    Atlas,
    Camera,
    Collection,
    DepthMap,
    Evidence,
    Factors,
    Head,
    HeadMesh,
    NormalField,
    Portrait,
    Reconstruction,
    Rejection,
    Stack,
    Surface,
    SurfacePoints,
    Template,
    Verdict,
    View,
)

HEIGHT, WIDTH, RADIUS = 40, 60, 16.0
CAMERA = Camera(torch.eye(3), 0.2, torch.tensor([30.0, 20.0]), HEIGHT, WIDTH)
PHOTOGRAPHER = Camera(torch.eye(3), 0.2, torch.tensor([24.0, 24.0]), 48, 48)
NAMES = tuple(f"photo {index}.jpg" for index in range(6))


def random(*shape: int, seed: int = 0) -> Float[Tensor, "..."]:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def normals() -> Float[Tensor, "xyz=3 h w"]:
    """Normals of a ball in the middle of the canvas, 0 around it."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    n_x, n_y = (x - WIDTH / 2) / RADIUS, (HEIGHT / 2 - y) / RADIUS
    inside = n_x**2 + n_y**2 < 0.95
    n_z = (1 - n_x**2 - n_y**2).clamp(min=0.0).sqrt()
    return torch.stack([n_x, n_y, n_z]) * inside


def normal_field() -> NormalField:
    n = normals()
    mask = n[2] > 0
    albedo = torch.tensor([0.8, 0.5, 0.4])[:, None, None] * mask
    return NormalField(
        label="view+30",
        camera=CAMERA,
        normals=n,
        deviation=4.0 * mask,
        albedo=albedo,
        mask=mask,
        support=6.0 * mask,
        lighting=random(6, 4),
        fiducials=10 + 20 * random(468, 2),
    )


def depth_map() -> DepthMap:
    n = normals()
    return DepthMap("view+30", CAMERA, RADIUS * n[2], n[2] > 0)


def factors() -> Factors:
    field, n = normal_field(), normals()
    return Factors(
        label="view+30",
        camera=CAMERA,
        lighting=field.lighting,
        shape=torch.cat([torch.ones_like(n[:1]), n]),
        color=field.albedo,
        support=field.support,
        information=torch.eye(4)[:, :, None, None].expand(4, 4, HEIGHT, WIDTH),
        fiducials=10 + 20 * random(468, 2),
        face=field.mask,
        mask=field.mask,
        residual=0.1 * random(HEIGHT, WIDTH),
    )


def stack(shift: int = 0) -> Stack:
    """A ball in six lights; photo i is moved to the right by i times `shift` pixels."""
    n = normals()
    lights = torch.tensor([[0.3, 0.1 * i - 0.3, 0.2, 0.7] for i in range(len(NAMES))])
    shaded = torch.einsum("pk,khw->phw", lights, torch.cat([torch.ones_like(n[:1]), n]))
    images = shaded[:, None] * torch.tensor([0.8, 0.5, 0.4])[:, None, None]
    mask = n[2] > 0
    return Stack(
        label="view+30",
        camera=CAMERA,
        names=NAMES,
        images=torch.stack([one.roll(i * shift, 2) for i, one in enumerate(images * mask)]),
        masks=mask.float().expand(len(NAMES), -1, -1),
        flows=torch.full((len(NAMES), 2, HEIGHT, WIDTH), 0.5),
        belief=torch.ones(len(NAMES)),
        motion=torch.zeros(0),
        portrait_from_canvas=torch.eye(2, 3).repeat(len(NAMES), 1, 1),
        fiducials=10 + 20 * random(468, 2),
        face=mask,
    )


def portrait(name: str, azimuth: float = 20.0) -> Portrait:
    return Portrait(
        name=name,
        image=random(3, 48, 48),
        mask=torch.ones(48, 48),
        fiducials=48 * random(468, 2, seed=1),
        visible=random(468, seed=4) < 0.7,
        keypoints=48 * random(6, 2, seed=2),
        azimuth=azimuth,
        elevation=-3.0,
        roll=1.5,
        deviation=torch.tensor([1.5, 1.0, 0.5]),
        face_score=0.9,
        corner=torch.zeros(2),
        step=1.0,
        face_size=80.0,
        glasses=0.02,
        covered=0.1,
        light=0.3,
        blown=0.01,
        identity=random(128, seed=3),
        file_bytes=5000,
    )


def verdict(name: str, reason: str = "") -> Verdict:
    return Verdict(
        name=name,
        kept=not reason,
        reason=reason,
        identity_distance=0.31,
        sharpness=0.1,
        mouth_open=0.05,
        eyes_open=0.3,
        glasses=0.02,
        covered=0.1,
        light=0.3,
        blown=0.01,
    )


def collection() -> Collection:
    """All photos of the view, one from the side, and a stranger's."""
    outside = portrait("sideways, to the left.jpg", azimuth=-75.0)
    portraits = (*(portrait(name) for name in NAMES), outside, portrait("stranger.jpg"))
    reasons = [*[""] * (len(NAMES) + 1), "shows somebody else"]
    verdicts = tuple(verdict(p.name, why) for p, why in zip(portraits, reasons, strict=True))
    return Collection(portraits, verdicts)


def head_mesh() -> HeadMesh:
    """A ball of 80 mm with a nose of 30 mm in front, redder on top."""
    ball = trimesh.creation.icosphere(3, radius=80.0)
    vertices = torch.from_numpy(ball.vertices.copy()).float()
    nose = torch.exp(-(vertices[:, 0] ** 2 + vertices[:, 1] ** 2) / 400) * (vertices[:, 2] > 0)
    vertices[:, 2] += 30 * nose
    red = 0.5 + vertices[:, 1] / 200
    albedo = torch.stack([red, torch.full_like(red, 0.4), torch.full_like(red, 0.3)], dim=1)
    faces = torch.from_numpy(ball.faces.copy()).long()
    return HeadMesh(vertices, faces, albedo, torch.ones(len(vertices)), vertices[:68])


def reconstruction() -> Reconstruction:
    mesh, marks = head_mesh(), torch.full((468, 3), 1 / 3)
    template = Template(
        vertices=mesh.vertices,
        faces=mesh.faces,
        region=torch.zeros(len(mesh.vertices), dtype=torch.long),
        fiducials=SurfacePoints(torch.arange(468), marks),
        keypoints=SurfacePoints(torch.arange(6), marks[:6]),
        people=random(4, len(mesh.vertices), 3) - 0.5,
        fitted=False,
    )
    return Reconstruction(
        template=template,
        fitted=template,
        collection=collection(),
        rejections=(Rejection("<b>two & more.jpg", "two faces of about the same size"),),
        views=(View("view+30", 30.0, 20.0, -3.0, NAMES),),
        stacks=(stack(),),
        factors=(factors(),),
        head=Head((Surface(normal_field(), depth_map()),)),
        merged=mesh,
        cameras=(PHOTOGRAPHER,) * len(collection().kept),
        mesh=mesh,
        evidence=Evidence(
            torch.arange(len(mesh.vertices)) % len(SOURCES), 1.0 + random(len(mesh.vertices))
        ),
        scale=1.02,
    )


def atlas(mesh: HeadMesh) -> Atlas:
    """Each triangle for itself in a cell of a grid, and a picture whose red grows with v."""
    count = len(mesh.faces)
    side = int(count**0.5) + 1
    cell = torch.stack([torch.arange(count) % side, torch.arange(count) // side], dim=1)
    corner = torch.tensor([[0.2, 0.2], [0.8, 0.2], [0.2, 0.8]])
    uv = (cell[:, None] + corner[None]) / side
    red = torch.arange(64, dtype=torch.uint8)[:, None].expand(64, 64)
    picture = torch.stack([4 * red, torch.full_like(red, 120), torch.full_like(red, 90)])
    faces = torch.arange(3 * count).reshape(-1, 3)
    return Atlas(mesh.faces.flatten(), faces, uv.flatten(0, 1), picture)
