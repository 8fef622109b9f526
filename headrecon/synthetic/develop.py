"""What a camera and the internet make of light: exposure, blur, noise, tone and compression."""

import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageEnhance, ImageFilter
from scipy.ndimage import gaussian_filter

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Developed:
    """A picture as it is found."""

    encoded: UInt8[np.ndarray, " byte"]
    """JPEG."""
    record: dict[str, Any]
    """What was done to the light."""


@dataclass(frozen=True)
class Develop:
    """Bounds of what happens between the light of a scene and a JPEG; nothing moves in the picture.

    Reference: Healey and Kondepudy, "Radiometric CCD camera calibration and noise estimation",
    PAMI 1994, for the noise.
    """

    stops: float
    """Standard deviation of the error of exposure, in factors of two."""
    color_cast: float
    """Standard deviation of the white balance's error, relative."""
    contrast: float
    """Standard deviation of the tone curve's exponent in excess of sRGB's, relative."""
    blur: float
    """Mean standard deviation of the defocus in pixels."""
    motion: float
    """Share of the photos that are smeared by motion."""
    noise: float
    """Standard deviation of the sensor's noise at most, linear, at mid grey."""
    enlarged: float
    """Share of the photos that were enlarged from fewer pixels."""
    sharpened: float
    """Share of the photos that were sharpened."""
    grayscale: float
    """Share of the photos without colour."""
    min_quality: int
    """Of the JPEG; 95 at most."""

    def __call__(
        self,
        linear: Float[np.ndarray, "h w rgb=3"],
        subject: Bool[np.ndarray, "h w"],
        random: np.random.Generator,
    ) -> Developed:
        """The photo of a scene, exposed for its subject."""
        record = self._draw(random)
        level = np.median(linear[subject] @ _LUMINANCE)
        target = 0.2 * 2.0 ** record["stops"]
        # Cameras do not lift a dark skin to mid grey, nor burn out all else for it.
        gain = target / max(0.35 * level + 0.65 * float((linear @ _LUMINANCE).mean()), 1e-3)
        light = linear * gain * np.array(record["white_balance"])
        light = _optics(light, record, random)
        light = light + _noise(light, record["noise"], random)
        record["white_share"] = float((light[subject].max(axis=1) >= 1.0).mean())
        coded = _tone(light.clip(0.0, 1.0), record)
        picture = Image.fromarray((255.0 * coded + 0.5).astype(np.uint8))
        picture = _reworked_by_hand(picture, record)
        return Developed(_jpeg(picture, record["quality"]), record)

    def _draw(self, random: np.random.Generator) -> dict[str, Any]:
        """What happens to this photo."""
        cast = np.exp(random.normal(0.0, self.color_cast, 3) * [1.0, 0.3, 1.0])
        smeared = random.uniform() < self.motion
        return {
            "stops": float(np.clip(random.normal(0.1, self.stops), -1.6, 1.3)),
            "white_balance": (cast / cast.mean()).tolist(),
            "exponent": float(np.clip(random.normal(1.0, self.contrast), 0.75, 1.4)),
            "s_curve": float(random.uniform(0.0, 0.5)),
            "saturation": float(np.clip(random.normal(1.05, 0.15), 0.5, 1.5)),
            "blur": float(0.3 + random.exponential(self.blur)),
            "motion": float(random.uniform(2.0, 6.0)) if smeared else 0.0,
            "motion_angle": float(random.uniform(0.0, 180.0)),
            "vignette": float(random.uniform(0.0, 0.35)),
            "noise": float(self.noise * random.uniform() ** 2),
            "enlarged": bool(random.uniform() < self.enlarged),
            "sharpened": bool(random.uniform() < self.sharpened),
            "grayscale": bool(random.uniform() < self.grayscale),
            "quality": int(random.integers(self.min_quality, 96)),
        }


def _optics(
    light: Float[np.ndarray, "h w 3"], record: dict[str, Any], random: np.random.Generator
) -> Float[np.ndarray, "h w 3"]:
    """Defocus, motion and the darker corners of a lens."""
    height, width = light.shape[:2]
    blurred = gaussian_filter(light, (record["blur"], record["blur"], 0), truncate=3.0)
    if record["motion"]:
        blurred = cv2.filter2D(blurred, -1, _streak(record["motion"], record["motion_angle"]))
    y, x = np.mgrid[:height, :width]
    radius = np.hypot(x / width - 0.5, y / height - 0.5) / 0.7
    return blurred * (1.0 - record["vignette"] * radius**2)[..., None]


def _streak(length: float, angle: float) -> Float[np.ndarray, "15 15"]:
    """A short line through the middle of a kernel."""
    kernel = np.zeros((15, 15))
    for step in np.linspace(-length / 2, length / 2, 31):
        x = 7 + step * np.cos(np.radians(angle))
        y = 7 + step * np.sin(np.radians(angle))
        kernel[round(y), round(x)] += 1.0
    return kernel / kernel.sum()


def _noise(
    light: Float[np.ndarray, "h w 3"], strength: float, random: np.random.Generator
) -> Float[np.ndarray, "h w 3"]:
    """Noise that grows with the square root of the light, as photons have it, over a floor."""
    spread = strength * np.sqrt(light.clip(0.0) / 0.2 + 0.1)
    return (spread * random.standard_normal(light.shape, dtype=np.float32)).astype(float)


def _tone(light: Float[np.ndarray, "h w 3"], record: dict[str, Any]) -> Float[np.ndarray, "h w 3"]:
    """From light to display values: sRGB, then the camera's taste in contrast and colour."""
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    coded = coded.clip(0.0, 1.0) ** record["exponent"]
    steep = coded * coded * (3.0 - 2.0 * coded)
    coded = coded + record["s_curve"] * (steep - coded)
    grey = (coded @ _LUMINANCE)[..., None]
    saturation = 0.0 if record["grayscale"] else record["saturation"]
    return (grey + saturation * (coded - grey)).clip(0.0, 1.0)


def _reworked_by_hand(picture: Image.Image, record: dict[str, Any]) -> Image.Image:
    """Enlarged from fewer pixels, or sharpened."""
    if record["enlarged"]:
        # Whole halves keep the pixel grids of both sizes in place.
        small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
        picture = small.resize(picture.size, Image.Resampling.BICUBIC)
    if record["sharpened"]:
        picture = picture.filter(ImageFilter.UnsharpMask(radius=1.5, percent=90, threshold=2))
    return picture


def _jpeg(picture: Image.Image, quality: int) -> UInt8[np.ndarray, " byte"]:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return np.frombuffer(file.getvalue(), np.uint8).copy()


def reworked(
    encoded: UInt8[np.ndarray, " byte"], random: np.random.Generator
) -> tuple[UInt8[np.ndarray, " copied"], Float[np.ndarray, "2 3"], bool]:
    """A near-duplicate of a JPEG, the map [A b] of its pixels, and whether it is mirrored.

    It is cropped by up to an eighth, scaled, mirrored in one of three cases, made a little brighter
    or darker and compressed again: xy of the copy = A xy + b.

    Convention: pixel centres at half-integers in both.
    """
    with Image.open(io.BytesIO(encoded.tobytes())) as opened:
        picture = opened.convert("RGB")
    size = np.array(picture.size)
    low = np.floor(size * random.uniform(0.0, 0.12, 2)).astype(int)
    high = np.ceil(size * random.uniform(0.88, 1.0, 2)).astype(int)
    new = np.maximum(np.round((high - low) * random.uniform(0.6, 1.3)), 64).astype(int)
    mirrored = bool(random.uniform() < 1 / 3)
    picture = picture.crop((*low, *high)).resize(tuple(new.tolist()), Image.Resampling.LANCZOS)
    scale = new / (high - low)
    matrix = np.column_stack([np.diag(scale), -scale * low])
    if mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        matrix[0] = [-scale[0], 0.0, new[0] + scale[0] * low[0]]
    gain = random.uniform(0.85, 1.15)
    picture = ImageEnhance.Brightness(picture).enhance(gain)
    return _jpeg(picture, int(random.integers(45, 92))), matrix, mirrored
