"""Command line: how far normals are off on faces under many unknown lights, trouble by trouble.

For example: python -m headrecon.normals photos=100 'identities=[81]'
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import hydra
import numpy as np
import torch
from hydra import compose
from jaxtyping import Float
from torch import Tensor

from headrecon import command
from headrecon.command import CONF, failures_in_one_line
from headrecon.pipeline import Pipeline
from headrecon.render.reproject import see_template
from headrecon.settings import Config, check
from headrecon.synthetic.folder import PhotographSubject
from headrecon.synthetic.light_stage import LitFace, Troubles, face_under_lights
from headrecon.types import Camera, Head, Stack, Template
from headrecon.views.align import face_mask


@dataclass(frozen=True)
class Angles:
    """Of the normals of a face's skin, degrees."""

    median: float
    over_deviation: float
    """Root mean square angle in units of the deviation that the result claims for itself."""


@hydra.main(version_base=None, config_path=str(CONF), config_name="normals")
def compose_and_run(config: Config) -> None:
    """Measure, and print a table in Markdown: medians, and means of them over the people."""
    with failures_in_one_line():
        check(config)
        troubles = " | ".join(name.replace("_", " ") for name in config.troubles)
        print(f"| degrees, {config.photos} photos | {troubles} |")
        print("|---|" + "---:|" * len(config.troubles))
        faces = {
            name: [
                lit_face(config, identity, Troubles(**troubles)) for identity in config.identities
            ]
            for name, troubles in config.troubles.items()
        }
        nothing = [template_angle(config, some) for some in faces.values()]
        print(f"| template, unchanged | {' | '.join(nothing)} |")
        for name, overrides in config.settings.items():
            cells = [
                _cell([angles(config, face, overrides) for face in some]) for some in faces.values()
            ]
            print(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |", flush=True)


def lit_face(config: Config, identity: int, troubles: Troubles) -> LitFace:
    """The photos of one person."""
    session: PhotographSubject = hydra.utils.instantiate(config.session, _convert_="all")
    population = session.photograph.population
    taking = session.taking(0)
    stranger = identity + 500
    return face_under_lights(
        replace(taking, identity=identity), stranger, population, troubles, config.photos
    )


def template_angle(config: Config, faces: Iterable[LitFace]) -> str:
    """What the template's own normals are off, without looking at any photo."""
    template = _pipeline(config, ()).template()
    found = []
    for face in faces:
        seen = see_template(template, _camera(face))
        both = seen.mask & face.skin
        found.append(_angles(seen.normals[:, both], face.normals[:, both]).median())
    return f"{float(torch.stack(found).mean()):.1f}"


def angles(config: Config, face: LitFace, overrides: Iterable[str]) -> Angles:
    """Factorize, bend the template, place it, resolve the ambiguity, compare with the truth."""
    stages = _pipeline(config, overrides)
    template = stages.template()
    stack = stages.flow(_stack(face, template))
    factors = stages.factorize(stack)
    fitted = stages.fit((factors,), template)
    posed = stages.pose(factors, (stack.camera,), Head(()), fitted)
    field = stages.disambiguate(posed, Head(()), fitted)
    judged = face.skin & field.mask
    off = _angles(field.normals[:, judged], face.normals[:, judged])
    ratio = off / field.deviation[judged].clamp_min(1e-6)
    return Angles(float(off.median()), float(ratio.square().mean().sqrt()))


def _pipeline(config: Config, overrides: Iterable[str]) -> Pipeline:
    """The stages by their settings; photos that keep still need no flow, by default."""
    composed = compose("config", overrides=[*config.always, *overrides])
    for stage in (composed.pipeline.fit, composed.pipeline.pose):
        if "turn" in stage:
            stage.turn = 0.0  # The rotation is known; how large the head is, is not.
        if "fiducial_bias" in stage:
            stage.fiducial_bias = False  # The fiducials are the true ones, no detector's.
    return hydra.utils.instantiate(composed.pipeline, _convert_="all")


def _stack(face: LitFace, template: Template) -> Stack:
    """The photos as they would come from the alignment."""
    camera, count = _camera(face), len(face.images)
    return Stack(
        label="view+00",
        camera=camera,
        names=tuple(map(str, range(count))),
        images=face.images,
        masks=face.head.float().expand(count, -1, -1),
        flows=torch.zeros(count, 2, camera.height, camera.width),
        belief=torch.ones(count),
        motion=torch.zeros(0),
        portrait_from_canvas=torch.eye(2, 3).repeat(count, 1, 1),
        fiducials=face.fiducials,
        face=face_mask(template, camera),
    )


def _camera(face: LitFace) -> Camera:
    """The lens, whose rays are all but parallel, where it sees the template's fiducials."""
    lens = face.lens
    distance = float(lens.translation.norm())
    scale = lens.focal / distance
    origin = lens.principal + scale * lens.translation[:2] * torch.tensor([1.0, -1.0])
    return Camera(lens.view_from_head, scale, origin, lens.height, lens.width)


def _angles(
    found: Float[Tensor, "xyz=3 pixel"], true: Float[Tensor, "xyz=3 pixel"]
) -> Float[Tensor, " pixel"]:
    """Degrees between unit vectors."""
    return torch.rad2deg((found * true).sum(dim=0).clamp(-1.0, 1.0).arccos())


def _cell(found: list[Angles]) -> str:
    median, ratio = (
        float(np.mean([getattr(a, k) for a in found])) for k in ("median", "over_deviation")
    )
    return f"{median:.1f} ({ratio:.1f})"


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
