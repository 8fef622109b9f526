"""The fit of the template to people of the head model, Lambertian and in their own way of light."""

from dataclasses import replace

import pytest
import roma
import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at, vertex_normals
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.render.reproject import see_template
from headrecon.synthetic.own_shape import own_shape
from headrecon.template.build import BuildTemplate
from headrecon.template.fit import FitTemplate, KeepTemplate
from headrecon.template.model import head_model
from headrecon.template.smooth import SmoothModes
from headrecon.types import Camera, Factors, Template

FIT = FitTemplate(
    size=1.0,
    components=40,
    beyond=SmoothModes(count=0, length=30.0, deviation=1.0),
    rounds=3,
    steps=15,
    normals=200.0,
    normal_deviation=0.15,
    fiducials=2.0,
    fiducial_bias=False,
    fiducial_deviation=1.5,
    outlines=16.0,
    outline_deviation=4.0,
    outline_reach=10.0,
    cutoff=0.3,
    min_cosine=0.3,
    turn=2.0,
    min_pixels=300,
)
GENERIC = BuildTemplate(size=1.0, people=2)()


def person(seed: int) -> Template:
    model = head_model()
    coefficients = model.random_identity(seed)
    coefficients[40:] = 0.0
    none = torch.zeros(len(model.actions))
    return replace(GENERIC, vertices=model.heads(coefficients, none))


def factors(head: Template, azimuth: float, noise: float = 0.0) -> Factors:
    """What an ideal factorization says of a head with a pattern of albedo, up to a matrix."""
    size = 128
    camera = Camera(view_from_head(azimuth), 0.4, torch.tensor([64.0, 66.0]), size, size)
    seen = see_template(head, camera)
    generator = torch.Generator().manual_seed(round(azimuth) + 100)
    wave = torch.arange(size) / 9.0
    albedo = (0.6 + 0.2 * torch.sin(wave)[:, None] * torch.cos(wave)) * seen.mask
    missing = Occlusion.of(head.vertices, head.faces).harmonics(camera.view_from_head, 4)
    hidden = interpolate(rasterize(head.vertices, head.faces, camera), head.faces, missing)
    known = albedo * (torch.cat([torch.ones(1, size, size), seen.normals]) - hidden)
    matrix, _ = torch.linalg.qr(torch.randn(4, 4, generator=generator))
    shape = torch.einsum("ij,jhw->ihw", matrix, known)
    marks = project(at(head.fiducials, head.faces, head.vertices), camera)[:, :2]
    return Factors(
        label=f"view{azimuth:+03.0f}",
        camera=camera,
        lighting=torch.zeros(5, 4),
        shape=shape + noise * torch.randn(shape.shape, generator=generator) * seen.mask,
        color=albedo.expand(3, -1, -1),
        support=5.0 * seen.mask,
        information=torch.zeros(4, 4, size, size),
        fiducials=marks,
        face=seen.mask,
        mask=rasterize(head.vertices, head.faces, camera).mask,
        residual=torch.zeros(size, size),
    )


def skin_error(head: Template, truth: Template) -> float:
    """Median distance of the same vertices of two faces, after a similarity: cameras know none."""
    face = head.region == 0
    mine, true = head.vertices[face], truth.vertices[face]
    found = roma.rigid_points_registration(mine, true, compute_scaling=True)
    rotation, shift, scale = torch.as_tensor(found[0]), found[1], torch.as_tensor(found[-1])
    return float((scale * mine @ rotation.T + shift - true).norm(dim=1).median())


def depth_error(head: Template, truth: Template) -> float:
    """The same along the true normals: what slides along the surface is not seen in shading."""
    face = head.region == 0
    mine, true = head.vertices[face], truth.vertices[face]
    found = roma.rigid_points_registration(mine, true, compute_scaling=True)
    rotation, shift, scale = torch.as_tensor(found[0]), found[1], torch.as_tensor(found[-1])
    normals = vertex_normals(truth.vertices, truth.faces)[face]
    return float(((scale * mine @ rotation.T + shift - true) * normals).sum(1).abs().median())


@pytest.mark.parametrize("seed", [3, 4])
def test_shading_alone_tells_most_of_what_makes_a_person(seed: int) -> None:
    truth = person(seed)
    views = tuple(factors(truth, azimuth) for azimuth in (0.0, -40.0, 40.0))
    fitted = FIT(views, GENERIC)
    assert fitted.fitted
    assert not GENERIC.fitted
    assert skin_error(fitted, truth) < 0.5 * skin_error(GENERIC, truth)


def test_smooth_deformations_find_what_no_mixture_of_others_is() -> None:
    """And cost nothing where there is nothing of it."""
    free = replace(FIT, beyond=SmoothModes(count=40, length=30.0, deviation=1.0))
    inside = person(5)
    own = own_shape(head_model(), 5, 1.5)
    truths = inside, replace(inside, vertices=inside.vertices + own)
    errors = []
    for truth in truths:
        views = tuple(factors(truth, azimuth) for azimuth in (0.0, -40.0, 40.0))
        errors.append([depth_error(fit(views, GENERIC), truth) for fit in (FIT, free)])
    (mixed, freely), (far, nearer) = errors
    assert freely < 1.1 * mixed
    assert nearer < 0.8 * far


def test_light_that_heads_keep_from_themselves_is_not_taken_for_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [person(seed) for seed in (3, 9)]
    views = [tuple(factors(one, azimuth) for azimuth in (0.0, -40.0, 40.0)) for one in people]

    def error() -> float:
        both = zip(views, people, strict=True)
        return sum(skin_error(FIT(seen, GENERIC), one) for seen, one in both)

    aware = error()
    monkeypatch.setattr(Occlusion, "harmonics", lambda self, _, k: self.blocked[:, :k] * 0.0)
    assert aware < 0.8 * error()


def test_noise_and_a_patch_of_nonsense_do_little_harm() -> None:
    truth = person(5)
    views = [factors(truth, azimuth, noise=0.05) for azimuth in (0.0, -40.0, 40.0)]
    views[0].shape[:, 60:75, 50:60] = 0.5
    assert skin_error(FIT(tuple(views), GENERIC), truth) < 0.5 * skin_error(GENERIC, truth)


def test_views_from_less_far_aside_than_they_are_taken_to_be_do_not_flatten_heads() -> None:
    truth = person(3)
    views = [factors(truth, azimuth) for azimuth in (0.0, -40.0, 40.0)]
    taken = [
        replace(view, camera=replace(view.camera, view_from_head=view_from_head(azimuth)))
        for view, azimuth in zip(views, (0.0, -43.0, 43.0), strict=True)
    ]
    held = replace(FIT, turn=0.0)
    right, wrong, found = (
        skin_error(fit(tuple(seen), GENERIC), truth)
        for fit, seen in ((held, views), (held, taken), (FIT, taken))
    )
    assert wrong > 1.3 * right
    assert found - right < 0.5 * (wrong - right)


def test_no_pixel_outweighs_the_others() -> None:
    truth = person(7)
    (sight,) = FIT.sights((factors(truth, 0.0),), truth, GENERIC)
    there = vertex_normals(truth.vertices, truth.faces), truth.faces
    place = torch.ones(()), torch.zeros(2)
    wrong = replace(sight, layers=sight.layers.clone())
    wrong.layers[:4, 60:64, 50:54] *= -1.0
    misfit = float(wrong.misfit(truth.vertices, *there, place))
    share = 36 / len(sight.face)
    assert 0.0 < misfit < 2.0 * share * (2.0 * FIT.cutoff) ** 2


def test_the_head_of_nobody_in_particular_stays_what_it_is() -> None:
    views = tuple(factors(GENERIC, azimuth) for azimuth in (0.0, 40.0))
    assert skin_error(FIT(views, GENERIC), GENERIC) < 0.05


def test_without_skin_in_sight_the_template_stays_a_strangers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    view = factors(GENERIC, 0.0)
    blank = replace(view, mask=torch.zeros_like(view.mask))
    fitted = FIT((blank,), GENERIC)
    assert not fitted.fitted
    assert torch.equal(fitted.vertices, GENERIC.vertices)
    assert "too little skin" in caplog.text


def test_the_energy_falls_along_its_gradient_as_it_says() -> None:
    truth = person(6)
    sights = FIT.sights((factors(truth, 0.0), factors(truth, 40.0)), GENERIC, GENERIC)
    vertices = GENERIC.vertices.clone().requires_grad_(True)
    energy = FIT.energy(replace(GENERIC, vertices=vertices), sights)
    (gradient,) = torch.autograd.grad(energy, vertices)
    # Along a smooth direction, since single precision has no room for smaller steps.
    direction = truth.vertices - GENERIC.vertices
    step = 0.01
    ahead = FIT.energy(replace(GENERIC, vertices=vertices.detach() + step * direction), sights)
    behind = FIT.energy(replace(GENERIC, vertices=vertices.detach() - step * direction), sights)
    told = float((gradient * direction).sum())
    assert told < 0.0
    assert float(ahead - behind) / (2 * step) == pytest.approx(told, rel=0.02)


def test_the_energy_of_the_truth_is_nothing() -> None:
    truth = person(7)
    sights = FIT.sights((factors(truth, 0.0),), truth, GENERIC)
    generic = FIT.sights((factors(truth, 0.0),), GENERIC, GENERIC)
    assert float(FIT.energy(truth, sights)) < 0.01 * float(FIT.energy(GENERIC, generic))


def test_shading_says_where_features_are() -> None:
    truth = person(7)
    (sight,) = FIT.sights((factors(truth, 0.0),), truth, GENERIC)
    lower = replace(sight, layers=sight.layers.roll(3, dims=1))
    normals = vertex_normals(truth.vertices, truth.faces)

    def misfit(down: float) -> float:
        place = (torch.ones(()), torch.tensor([0.0, down]))
        return float(lower.misfit(truth.vertices, normals, truth.faces, place))

    assert misfit(3.0) < 1e-3 * misfit(0.0)
    assert misfit(3.0) < misfit(2.0) < misfit(1.0) < misfit(0.0)


def test_the_paper_keeps_the_template() -> None:
    view = factors(GENERIC, 0.0)
    assert KeepTemplate()((view,), GENERIC) is GENERIC


def test_a_larger_head_is_neither_better_nor_worse() -> None:
    truth = person(8)
    views = tuple(factors(truth, azimuth) for azimuth in (0.0, -40.0, 40.0))
    sights = FIT.sights(views, GENERIC, GENERIC)
    larger = replace(GENERIC, vertices=1.08 * GENERIC.vertices)
    assert float(FIT.energy(larger, sights)) == pytest.approx(
        float(FIT.energy(GENERIC, sights)), rel=0.02
    )
    size = FIT(views, GENERIC).vertices.std(dim=0) / GENERIC.vertices.std(dim=0)
    assert float((size - 1.0).abs().max()) < 0.08
