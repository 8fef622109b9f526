"""Command line: how fast the tensor stages are, beside what one would take instead.

For example: python -m headrecon.speed photos=[125,250,500,1000] turns=1 plot=speed.png
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import hydra
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.sparse.linalg import svds
from torch import Tensor
from tqdm import trange

from headrecon import command
from headrecon.command import CONF, device_called, failures_in_one_line
from headrecon.evaluate.integration import integration
from headrecon.evaluate.race import Row, growth, in_turns, wait
from headrecon.flow.collection import CollectionFlow
from headrecon.geometry.low_rank import principal_rows
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.warp import chained, warp
from headrecon.photos.decode import decode
from headrecon.refining import refinement
from headrecon.settings import Config, check
from headrecon.shading.pixels import believed_pixels
from headrecon.shading.subset import Irls
from headrecon.synthetic.chance import Framing, Pose
from headrecon.synthetic.folder import PhotographSubject
from headrecon.types import Camera, Photo, Rejection, Stack

_SIDE = 256
_DISTINCT = 96
_SUBSET = Irls(cutoff=2.0, bright_cutoff=2.0, floor=0.02)
_RIDGE, _ROUNDS = 1e-3, 5


@hydra.main(version_base=None, config_path=str(CONF), config_name="speed")
def compose_and_run(config: Config) -> None:
    """Measure, and print a table in Markdown."""
    with failures_in_one_line():
        check(config)
        device = device_called(config.device)
        print(f"{torch.get_num_threads()} threads, {device}\n")
        print("| what | beside | seconds | theirs | times faster | quality |")
        print("|---|---|---:|---:|---:|---|")
        told: list[Row] = []
        for row in rows(config, device):
            ours, theirs = row.seconds
            times = f"{ours:.2f} | {theirs:.2f} | {theirs / ours:.1f}"
            print(f"| {row.what} | {row.theirs} | {times} | {row.quality} |", flush=True)
            told.append(row)
        if config.plot:
            growth(told).savefig(config.plot)


def rows(config: Config, device: torch.device) -> Iterator[Row]:
    """The comparisons, one after the other."""
    for count in config.photos:
        yield flow(config, count, device)
    for height, width in config.matrices:
        yield factorization(height, width, config.turns, device)
    yield pixels(config, device)
    yield from integration(config.sides, config.turns, device)
    yield refinement(config.turns, device)


def flow(config: Config, photos: int, device: torch.device) -> Row:
    """The whole loop of collection flow; both estimators have the same references and bounds."""
    session: PhotographSubject = hydra.utils.instantiate(config.session, _convert_="all")
    stack, truth = warped_photos(session, photos, device)
    flows = [hydra.utils.instantiate(config[name], _convert_="all") for name in ("ours", "theirs")]
    found: dict[int, Stack] = {}

    def run(index: int, flow: CollectionFlow) -> Callable[[], None]:
        def measured() -> None:
            found[index] = flow(stack)

        return measured

    seconds = in_turns([run(*pair) for pair in enumerate(flows)], config.turns)
    errors = [f"{end_point_error(found[index], truth):.3f}" for index in range(len(flows))]
    before = f"{end_point_error(stack, truth):.3f} before"
    rounds = [len(found[index].motion) for index in range(len(flows))]
    return Row(
        f"collection flow, {photos} photos, {rounds[0]} rounds",
        f"OpenCV DIS medium, {rounds[1]} rounds",
        seconds,
        f"end-point error {errors[0]} pixels against {errors[1]}; {before}",
        photos,
    )


def warped_photos(
    session: PhotographSubject, count: int, device: torch.device
) -> tuple[Stack, Float[Tensor, "photo xy=2 h w"]]:
    """One face under many lights, and the smooth flow along which each photo was warped.

    Of more photos than `_DISTINCT` each light comes more than once, every time warped otherwise.
    """
    images, masks = [], []
    framing = Framing(1500.0, 0.8, 0.5, 0.47, _SIDE, _SIDE)
    for index in trange(min(count, _DISTINCT), desc="photographing", leave=False, disable=None):
        taking = session.taking(index)
        still = replace(
            taking,
            **{"identity": session.identity, "pose": Pose(0.0, 0.0, 0.0), "framing": framing},
            **{"expression": tuple(0.0 for _ in taking.expression), "gaze": (0.0, 0.0)},
            **{"style": 0, "occluder": "", "banner": False, "bystander": -1, "age": 0.0},
        )
        shot = session.photograph(still)
        image = decode(Photo(taking.name, torch.from_numpy(shot.encoded)), 10**8)
        assert not isinstance(image, Rejection)
        images.append(F.interpolate(image[None], (_SIDE, _SIDE), mode="area")[0])
        head = torch.from_numpy(shot.picture.labels > 0).float()
        masks.append(F.interpolate(head[None, None], (_SIDE, _SIDE), mode="area")[0, 0])
    generator = torch.Generator().manual_seed(session.seed)
    coarse = torch.randn(count, 2, 5, 5, generator=generator)
    truth = 3.0 * F.interpolate(coarse, (_SIDE, _SIDE), mode="bicubic", align_corners=False)
    layers = torch.cat([torch.stack(images), torch.stack(masks)[:, None]], dim=1)
    layers = layers[torch.arange(count) % len(layers)]
    moved = warp(layers, truth).clamp(0.0, 1.0).to(device)
    stack = Stack(
        label="view+00",
        camera=Camera(view_from_head(0.0), 1.0, torch.zeros(2), _SIDE, _SIDE),
        names=tuple(map(str, range(count))),
        images=moved[:, :3],
        masks=moved[:, 3],
        flows=torch.zeros(count, 2, _SIDE, _SIDE, device=device),
        belief=torch.ones(count, device=device),
        motion=torch.zeros(0),
        portrait_from_canvas=torch.eye(2, 3).repeat(count, 1, 1),
        fiducials=torch.zeros(468, 2),
        face=torch.ones(_SIDE, _SIDE, dtype=torch.bool),
    )
    return stack, truth.to(device)


def end_point_error(stack: Stack, truth: Float[Tensor, "photo xy=2 h w"]) -> float:
    """Mean distance in pixels of a point of the head from where it is on average."""
    there = chained(truth, stack.flows)
    off = (there - there.mean(dim=0)).norm(dim=1)
    return float((off * stack.masks).sum() / stack.masks.sum())


def factorization(rows: int, columns: int, turns: int, device: torch.device) -> Row:
    """The four leading left singular vectors of photos by pixels."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([30.0, 12.0, 8.0, 5.0, 3.0, 2.5, 2.0, 1.5, 1.0, 0.8, 0.6, 0.5]) / 30.0
    left = torch.randn(rows, len(sizes), generator=generator) * sizes
    matrix = left @ torch.randn(len(sizes), columns, generator=generator)
    matrix = (matrix + 0.5 * torch.randn(rows, columns, generator=generator)).to(device)
    array, found = matrix.cpu().numpy(), {}

    def ours() -> None:
        found["ours"] = principal_rows(matrix, 4)
        wait(device)

    def theirs() -> None:
        rows, _, _ = svds(array, 4)
        found["theirs"] = torch.from_numpy(np.array(rows)).to(device)

    seconds = in_turns([ours, theirs], turns)
    left_over = [_left_over(matrix, found[name]) for name in ("ours", "theirs")]
    quality = f"residual larger by {left_over[0] / left_over[1] - 1.0:.0e}"
    what = f"factorization, {rows} photos x {columns}, rank 4"
    return Row(what, "scipy svds", seconds, quality, rows)


def _left_over(matrix: Tensor, basis: Tensor) -> float:
    wide, rows = matrix.double(), basis.double()
    return float((wide - rows @ (rows.T @ wide)).norm())


def pixels(config: Config, device: torch.device) -> Row:
    """Pseudo-normals whose pixels each believe photos of their own."""
    count, columns = config.matrices[-1]
    generator = torch.Generator().manual_seed(1)
    light = torch.randn(count, 4, generator=generator).to(device)
    values = torch.randn(columns, 4, generator=generator).to(device) @ light.T
    wrong = torch.rand(columns, count, generator=generator).to(device) < 0.1
    values = torch.where(wrong, values + 3.0, values)
    base, weights = torch.ones_like(values), torch.empty_like(values)
    found: dict[str, Tensor] = {}

    def ours() -> None:
        found["ours"] = believed_pixels(
            light, values, base, base, _RIDGE, _SUBSET, _ROUNDS - 1, weights
        )
        wait(device)

    some = values[: config.looped].cpu()

    def theirs() -> None:
        each = [_robust_pixel(light.cpu().numpy(), one.numpy()) for one in some]
        found["theirs"] = torch.from_numpy(np.stack(each))

    mine, loop = in_turns([ours, theirs], config.turns)
    off = (found["ours"][: config.looped].cpu() - found["theirs"]).abs().max()
    quality = f"values differ by {float(off):.0e} at most"
    what = f"robust normals, {columns} pixels x {count} photos, {_ROUNDS} solves"
    return Row(what, "loop over pixels in numpy", (mine, loop * columns / config.looped), quality)


def _robust_pixel(
    light: Float[np.ndarray, "photo 4"], values: Float[np.ndarray, " photo"]
) -> Float[np.ndarray, "4"]:
    """The same for one pixel, as one would write it."""
    weights = np.ones_like(values)
    found = np.zeros(4, np.float32)
    for _ in range(_ROUNDS):
        weighted = light * weights[:, None]
        ridge = _RIDGE * np.eye(4, dtype=np.float32)
        found = np.linalg.solve(weighted.T @ light + ridge, weighted.T @ values)
        residual = values - light @ found
        sample = np.abs(residual[:: max(1, len(values) // 200)])
        middle = np.sort(sample)[(len(sample) - 1) // 2]
        scale = _SUBSET.cutoff * max(1.4826 * middle, _SUBSET.floor)
        weights = (1.0 + (residual / scale) ** 2) ** -2
    return found


def main() -> None:
    """Run the command."""
    command.main(compose_and_run)


if __name__ == "__main__":
    main()
