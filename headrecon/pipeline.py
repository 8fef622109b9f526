"""The method, in order."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from headrecon.depth.bilateral import BilateralIntegrate
from headrecon.depth.integrate import Integrate
from headrecon.depth.poisson import PoissonIntegrate
from headrecon.flow.collection import CollectionFlow
from headrecon.mesh.cameras import FiducialCameras, PhotometricCameras
from headrecon.mesh.complete import Complete
from headrecon.mesh.merge import Merge
from headrecon.mesh.outlines import FitOutlines, IgnoreOutlines
from headrecon.mesh.project import ProjectAndGather
from headrecon.mesh.refine import Refine, not_yet_refined
from headrecon.mesh.repaint import KeepPaint, Repaint
from headrecon.mesh.scale import CircumferenceScale, InterpupillaryScale, IrisScale, TemplateScale
from headrecon.mesh.texture import Texture
from headrecon.mesh.volume import FuseVolume
from headrecon.monitor import Monitor
from headrecon.photos.curate import Curate
from headrecon.photos.detect import Detect
from headrecon.photos.excerpt import Excerpt
from headrecon.photos.noisy import NoisyDetect
from headrecon.photos.thin import Thin
from headrecon.shading.disambiguate import Disambiguate
from headrecon.shading.factorize import Factorize
from headrecon.store import Store
from headrecon.template.build import BuildTemplate
from headrecon.template.dense_pose import DensePose
from headrecon.template.fit import FitTemplate, KeepTemplate
from headrecon.types import (
    Atlas,
    Head,
    Photo,
    Reconstruction,
    Rejection,
    Sighting,
    Template,
    Video,
)
from headrecon.views.align import Align
from headrecon.views.cluster import Cluster
from headrecon.views.mirror import with_mirror_images
from headrecon.views.pose import Pose


@dataclass(frozen=True)
class Pipeline:
    """Head Reconstruction from Internet Photos. Each field is a stage: settings and one function.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, ECCV 2016.
    """

    template: BuildTemplate
    excerpt: Excerpt
    detect: Detect | NoisyDetect
    curate: Curate
    thin: Thin
    cluster: Cluster
    align: Align
    flow: CollectionFlow
    factorize: Factorize
    fit: FitTemplate | KeepTemplate
    cameras: PhotometricCameras | FiducialCameras
    outlines: FitOutlines | IgnoreOutlines
    pose: Pose | DensePose
    disambiguate: Disambiguate
    integrate: Integrate | BilateralIntegrate | PoissonIntegrate
    merge: Merge | FuseVolume | ProjectAndGather
    refine: Refine
    complete: Complete
    repaint: Repaint | KeepPaint
    scale: InterpupillaryScale | IrisScale | CircumferenceScale | TemplateScale
    texture: Texture

    def look(
        self, photos: Iterable[Photo | Video | Rejection], store: Store
    ) -> tuple[Template, tuple[Sighting | Rejection, ...]]:
        """Per photo, or frame of a video: find the heads, their fiducials, poses and outlines."""
        template = store.recall("template", self.template)
        stills, about = self._stills(photos, store), operator.length_hint(photos)
        seen = store.recall_each("photos", self.detect, stills, template, expected=about)
        return template, seen

    def _stills(
        self, photos: Iterable[Photo | Video | Rejection], store: Store
    ) -> Iterator[Photo | Rejection]:
        """The photos, and of each video the frames that are worth a look."""
        for photo in photos:
            if isinstance(photo, Video):
                yield from store.recall(f"videos/{photo.name}", self.excerpt, photo)
            else:
                yield photo

    def run(
        self,
        photos: Iterable[Photo | Video | Rejection],
        overrides: Mapping[str, str],
        store: Store,
        monitor: Monitor,
    ) -> Reconstruction:
        """Photos to a head; raises `ValueError` if no view has enough of them."""
        recall = store.recall
        template, seen = self.look(photos, store)
        rejections = tuple(found for found in seen if isinstance(found, Rejection))

        # Once: whose face most photos show, which of them are of use, and from where they look.
        collection = self.curate(
            tuple(found for found in seen if isinstance(found, Sighting)), overrides
        )
        collection = self.thin(collection, overrides)
        portraits = collection.kept
        if self.cluster.mirror:
            portraits = with_mirror_images(portraits, template)
        views = self.cluster(portraits)
        monitor.collection(collection, rejections, views)
        if not views:
            raise ValueError(
                f"no view has the {self.cluster.minimum} photos that it needs: {len(seen)} photos, "
                f"{len(collection.kept)} of them of use"
            )

        # Per view: one canvas, one common shape, and light times shape.
        stacks, factors = [], []
        for view in monitor.each(views):
            members = tuple(p for p in portraits if p.name in view.names)
            aligned = recall(f"{view.label}/aligned", self.align, view, members, template)
            flowed = recall(f"{view.label}/flowed", self.flow, aligned)
            monitor.flow(aligned, flowed)
            stacks.append(flowed)
            factors.append(recall(f"{view.label}/factors", self.factorize, flowed))

        # A stranger's head resolves to a stranger's skull: bend the template towards this person,
        # by shading where there is skin, and by the photos' outlines, through a camera of each,
        # where there is hair.
        fitted = recall("fitted", self.fit, tuple(factors), template)
        cameras = recall("cameras", self.cameras, portraits, fitted)
        taken = {one.name: camera for one, camera in zip(portraits, cameras, strict=True)}
        fitted = recall("outlined", self.outlines, fitted, portraits, cameras)
        monitor.fit(template, fitted)

        # From the front outward: what is solved tells the next view its ambiguity and its depth.
        head, posed = Head(()), []
        for stack, factor in monitor.each(tuple(zip(stacks, factors, strict=True))):
            by = tuple(taken[name] for name in stack.names)
            factor = recall(f"{factor.label}/posed", self.pose, factor, by, head, fitted)
            normals = recall(f"{factor.label}/normals", self.disambiguate, factor, head, fitted)
            depth = recall(f"{factor.label}/depth", self.integrate, normals, head, fitted)
            head = head.grown(normals, depth)
            posed.append(factor)
            monitor.surface(factor, normals, depth)

        # One mesh, then the mesh that renders into the photos.
        merged = recall("mesh/merged", self.merge, head, fitted)
        shots = tuple(
            replace(stack, camera=surface.depth.camera)
            for stack, surface in zip(stacks, head.surfaces, strict=True)
        )
        refined = not_yet_refined(merged, cameras)
        monitor.refinement(refined, shots, collection.kept)
        for epoch in monitor.each(range(self.refine.epochs)):
            if self.refine.settled(refined):
                break
            by = head, fitted, portraits
            refined = recall(f"mesh/epoch{epoch + 1:02d}", self.refine, refined, *by)
            monitor.refinement(refined, shots, collection.kept)

        # Closed, with what each vertex rests on, in the colors that the photos themselves have, and
        # as large as heads are.
        whole = recall("mesh/complete", self.complete, refined.mesh, head, shots, fitted)
        taken_by = portraits, refined.cameras
        painted = recall("mesh/painted", self.repaint, whole.mesh, *taken_by, fitted)
        whole = replace(whole, mesh=painted)
        scale = recall("mesh/scale", self.scale, whole.mesh, portraits)
        monitor.complete(whole, scale)
        return Reconstruction(
            *(template, fitted, collection, rejections, views, shots),
            *(tuple(posed), head, merged, refined.cameras[: len(collection.kept)]),
            *(whole.mesh, whole.evidence, scale),
        )

    def wrap(self, found: Reconstruction, store: Store) -> Atlas:
        """The picture that is wrapped around the head."""
        return store.recall("mesh/texture", self.texture, found.mesh, found.head)
