"""What is seen of a run while it goes on: TensorBoard, progress bars, pictures and numbers."""

import contextlib
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch.utils.tensorboard.writer import SummaryWriter
from tqdm import tqdm

from headrecon.baselines.mean_head import MeanHead
from headrecon.draw import maps, panel, photos, turntable
from headrecon.draw.advice import advise
from headrecon.draw.coverage import coverage
from headrecon.draw.evidence import deviation, sources
from headrecon.draw.rendered import beside_its_average, beside_photos
from headrecon.draw.viewer import srgb_levels
from headrecon.evaluate.reprojection import reproject
from headrecon.evaluate.sharpness import sharpness
from headrecon.geometry.surface import vertex_areas
from headrecon.mesh.descent import VARIABLES
from headrecon.mesh.refine import TERMS
from headrecon.types import (
    SOURCES,
    Collection,
    CompleteHead,
    DepthMap,
    Factors,
    HeadMesh,
    NormalField,
    Portrait,
    Refinement,
    Rejection,
    Stack,
    Template,
    View,
)

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

PHOTOS_PER_VIEW = 12
"""Photos that the reprojection error is taken on while a run goes on."""
PHOTOS_DRAWN = 8
"""Beside the mesh in their light, after each epoch."""
ERROR_SHOWN = 40.0
"""Grey levels at the bright end of error maps, the same for all so that they can be compared."""


class Monitor:
    """Writes one folder of event files, and keeps the latest pictures and numbers for the report.

    A run that is started again tells its whole story again from what is stored, so older event
    files of the folder are removed: otherwise every curve would be drawn once for each start.
    """

    def __init__(self, folder: Path) -> None:
        """Start the story in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink(missing_ok=True)
        self.writer = SummaryWriter(str(folder))
        self.writer.add_text("report", "The result: report/index.html in the folder of the run.")
        self.pictures: dict[str, Image.Image] = {}
        self.metrics: dict[str, float | int] = {}
        self._losses_written = 0
        self._latest: tuple[Refinement, tuple[Stack, ...]] | None = None

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, with a bar that shows how many are done if somebody is watching."""
        return iter(tqdm(items, leave=False, disable=None))

    def number(self, tag: str, value: float | int, step: int = 0) -> None:
        """One number; its unit is the end of its tag. The last one is kept for `metrics.json`."""
        self.metrics[tag] = value
        self.writer.add_scalar(tag, value, step)

    def picture(self, tag: str, picture: Image.Image, step: int = 0) -> None:
        """One picture; the last one of each tag is kept for the report."""
        self.pictures[tag] = picture
        levels = torch.from_numpy(np.array(picture.convert("RGB")))
        self.writer.add_image(tag, levels, step, dataformats="HWC")

    def mesh(self, tag: str, mesh: HeadMesh, step: int = 0) -> None:
        """A mesh with its colors, to be turned in TensorBoard."""
        self.writer.add_mesh(
            tag,
            vertices=mesh.vertices[None].cpu(),
            colors=torch.from_numpy(srgb_levels(mesh)[None, :, :3].copy()),
            faces=mesh.faces[None].cpu(),
            global_step=step,
        )

    def collection(
        self,
        collection: Collection,
        rejections: Sequence[Rejection],
        views: Sequence[View],
    ) -> None:
        """The photos, and which of them the views are made of."""
        portraits, kept = collection.portraits, collection.kept
        names = {name for view in views for name in view.names}
        inside = [one for one in portraits if one.name in names]
        outside = [one for one in portraits if one.name not in names]
        self.number("photos/found_count", len(portraits) + len(rejections))
        self.number("photos/kept_count", len(inside))
        logger.info(
            "photos: %d found, %d show a head, %d of them of use, %d in views: %s",
            *(len(portraits) + len(rejections), len(portraits), len(kept), len(inside)),
            ", ".join(f"{view.label} has {len(view.names)}" for view in views) or "none",
        )
        if kept:
            self.picture("photos/portraits", photos.contact_sheet(kept))
            azimuths = torch.tensor([portrait.azimuth for portrait in kept])
            self.writer.add_histogram("photos/azimuth_degrees", azimuths, 0)
        self.picture("photos/coverage", coverage(inside, outside))
        advice = advise(kept, views)
        for one in advice:
            if one.add:
                logger.info("to add: %s", one)
        self.writer.add_text("photos/advice", "\n".join(f"- {one}" for one in advice))
        for view in views:
            self.number(f"{view.label}/photos_count", len(view.names))

    def flow(self, aligned: Stack, flowed: Stack) -> None:
        """A view before and after collection flow."""
        label = flowed.label
        self.picture(f"{label}/average", photos.before_and_after(aligned, flowed))
        self.picture(f"{label}/flows", photos.flows(flowed))
        for number, motion in enumerate(flowed.motion.tolist()):
            self.number(f"{label}/flow_motion_px", motion, number)
        inside = flowed.flows.float().norm(dim=1)[:, flowed.face]
        self.number(f"{label}/flow_mean_px", float(inside.mean()) if inside.numel() else 0.0)
        before, after = sharpness(aligned), sharpness(flowed)
        self.number(f"{label}/average_gradient_aligned_per_px", before)
        self.number(f"{label}/average_gradient_flowed_per_px", after)

    def fit(self, template: Template, fitted: Template) -> None:
        """The template before and after it was bent to the person."""
        moved = (fitted.vertices - template.vertices).norm(dim=1)
        self.number("template/bent_median_mm", float(moved.median()))
        self.picture("template/sides", turntable.turntable(MeanHead()(fitted, ())))

    def surface(self, factors: Factors, normals: NormalField, depth: DepthMap) -> None:
        """A view's light, normals and depth."""
        label = factors.label
        self.picture(f"{label}/surface", maps.surface(factors, normals, depth))
        face, mask = factors.face & factors.mask, factors.mask
        for name, where in (("face", face), ("head", mask)):
            residual = factors.residual[where]
            value = float(residual.square().mean().sqrt()) if residual.numel() else 0.0
            self.number(f"{label}/rank4_residual_{name}_rms_of_mean_intensity", value)
        support = normals.support[mask]
        self.number(f"{label}/support_mean_photos", float(support.mean()) if len(support) else 0.0)
        if bool(depth.mask.any()):
            z = depth.z[depth.mask] / depth.camera.scale
            self.number(f"{label}/depth_range_mm", float(z.max() - z.min()))

    def refinement(
        self, refined: Refinement, stacks: Sequence[Stack], portraits: Sequence[Portrait]
    ) -> None:
        """The mesh after an epoch: losses of its steps, and its error on some of the photos."""
        for step in range(self._losses_written, len(refined.losses)):
            for name, loss in zip(TERMS, refined.losses[step].tolist(), strict=True):
                self.writer.add_scalar(f"refine/{name}_loss", loss, step)
            for name, norm in zip(VARIABLES, refined.gradients[step].tolist(), strict=True):
                self.writer.add_scalar(f"refine/{name}_gradient_norm", norm, step)
            for name, rate in zip(VARIABLES, refined.rates[step].tolist(), strict=True):
                self.writer.add_scalar(f"refine/{name}_learning_rate", rate, step)
        self._losses_written = len(refined.losses)
        self._errors(refined)
        for stack in stacks:
            mean = reproject(refined.mesh, _some(stack, PHOTOS_PER_VIEW)).mean
            self.number(f"{stack.label}/reprojection_grey_levels", mean, refined.epoch)
        self.picture("mesh/photos", beside_photos(refined, portraits, PHOTOS_DRAWN), refined.epoch)
        if refined.epoch == 0:
            self._draw_mesh(refined, stacks)
        self._latest = (refined, tuple(stacks))

    def _errors(self, refined: Refinement) -> None:
        """How the latest epoch did on photos, above all on those that it had not seen."""
        if not len(refined.errors):
            return
        used, unseen = refined.errors[-1].tolist()
        if worse := refined.taken_back:
            logger.info(
                "refinement: epoch %d made photos kept aside worse (%.2f, before %.2f grey levels) "
                "and is taken back",
                *(refined.epoch, unseen[1], unseen[0]),
            )
        for name, (before, after) in (("used", used), ("kept_aside", unseen)):
            if math.isnan(after):
                continue
            tag = f"mesh/reprojection_on_photos_{name}"
            if refined.epoch == 1:
                self.number(f"{tag}_grey_levels", before, 0)
                self.metrics[f"{tag}_before_grey_levels"] = before
            self.number(f"{tag}_grey_levels", before if worse else after, refined.epoch)

    def complete(self, whole: CompleteHead, scale: float) -> None:
        """The closed mesh: its size, how much of it rests on what, and how far it may be off."""
        mesh, evidence = whole.mesh, whole.evidence
        self.number("mesh/faces_count", len(mesh.faces))
        self.number("mesh/scale_of_template_share", scale)
        self.number("mesh/deviation_median_mm", scale * float(evidence.deviation.median()))
        area = vertex_areas(mesh.vertices, mesh.faces)
        for index, source in enumerate(SOURCES):
            share = (area * (evidence.source == index)).sum() / area.sum()
            self.number(f"mesh/area_from_{source}_share", float(share))
        self.evidence(whole)

    def evidence(self, whole: CompleteHead) -> None:
        """Pictures of what the mesh rests on."""
        self.picture("mesh/sources", sources(whole))
        self.picture("mesh/deviation", deviation(whole))

    def finish(self, settings: Mapping[str, float | int | str | bool]) -> None:
        """Pictures of the final mesh, and the settings beside the final numbers.

        The settings and numbers let the runs of a sweep be compared in one table.
        """
        if self._latest and self._latest[0].epoch > 0:
            self._draw_mesh(*self._latest)
        final = {tag: value for tag, value in self.metrics.items() if not tag.startswith("view")}
        self.writer.add_hparams(dict(settings), final, run_name=".")

    def close(self) -> None:
        """Write what is still in memory."""
        with contextlib.suppress(ValueError):
            self.writer.close()

    def _draw_mesh(self, refined: Refinement, stacks: Sequence[Stack]) -> None:
        mesh, step = refined.mesh, refined.epoch
        shown = [reproject(mesh, _some(stack, PHOTOS_PER_VIEW)) for stack in stacks]
        errors = [maps.error_map(one.error, one.mask, ERROR_SHOWN, "grey levels") for one in shown]
        labels = [f"{one.label}: mean {one.mean:.1f}" for one in shown]
        pairs = [beside_its_average(mesh, stack) for stack in stacks]
        self.picture("mesh/errors", panel.sheet(errors, labels, columns=4), step)
        self.picture("mesh/rendered", panel.sheet(pairs, [""] * len(pairs), columns=2), step)
        self.picture("mesh/sides", turntable.turntable(mesh), step)
        self.mesh("mesh/head", mesh, step)


def _some(stack: Stack, most: int) -> Stack:
    """At most that many photos of a view, evenly chosen."""
    return stack.every(max(1, -(-len(stack.names) // most)))
