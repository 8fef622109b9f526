"""From the bytes of a photo's file to linear light."""

import io
import threading
import warnings

import cv2
import kornia
import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from headrecon.types import Photo, Rejection

try:
    import pillow_heif
except ImportError:
    pass
else:
    pillow_heif.register_heif_opener()

_ALONE = threading.Lock()
# Other decoders of PIL run programs (EPS), or were never meant for files of strangers.
_KINDS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "GIF", "BMP", "HEIF", "AVIF")


def decode(photo: Photo, max_pixels: int) -> Float[Tensor, "rgb=3 h w"] | Rejection:
    """The picture in linear RGB, upright, or why it cannot be read; of several the first.

    `max_pixels` guards memory: a small file can claim to hold a picture of any size. HEIC is read
    if pillow-heif is installed.

    Convention: linear RGB in [0, 1] with sRGB's primaries; black where the file is transparent.
    """
    content = photo.encoded.numpy().tobytes()
    if not content:
        return Rejection(photo.name, "empty file")
    try:
        # What warns is decided for all threads at once.
        with _ALONE, warnings.catch_warnings():
            # Odd metadata and sizes are judged here, by the picture that comes out.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=_kinds()) as opened:
                if opened.width * opened.height > max_pixels:
                    return Rejection(photo.name, f"more than {max_pixels} pixels")
                picture = _upright_rgb(opened)
    except Image.DecompressionBombError:
        return Rejection(photo.name, f"more than {max_pixels} pixels")
    except Image.UnidentifiedImageError:
        return Rejection(photo.name, "not a picture, or of a kind that cannot be read")
    except Exception as error:
        # Broken files end in any way inside the decoders.
        return Rejection(photo.name, f"broken file ({' '.join(str(error).split())})")
    codes = np.ascontiguousarray(np.moveaxis(np.array(picture), -1, 0))
    # OpenCV looks bytes up as they are; as indices of torch they would need much memory.
    linear = cv2.LUT(codes.reshape(-1, codes.shape[-1]), _linear_of_code().numpy())
    return torch.from_numpy(linear.reshape(codes.shape))


def _kinds() -> list[str]:
    """Those of the kinds that this installation can read."""
    Image.init()
    return [kind for kind in _KINDS if kind in Image.OPEN]


def _upright_rgb(opened: Image.Image) -> Image.Image:
    """The picture in 8-bit sRGB, turned as its EXIF tag says."""
    opened.load()
    profile = opened.info.get("icc_profile", b"")
    try:
        picture = ImageOps.exif_transpose(opened)
    except Exception:
        # A broken tag is no reason to lose the photo.
        picture = opened
    picture = _eight_bits(picture)
    if not picture.has_transparency_data:
        return _in_srgb(picture, profile)
    layer = picture.convert("RGBA")
    color = _in_srgb(layer.convert("RGB"), profile)
    black = Image.new("RGB", layer.size)
    return Image.composite(color, black, layer.getchannel("A"))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel; PIL clips deeper grey at 255 instead of scaling it."""
    if picture.mode.startswith("I"):
        levels = np.asarray(picture, dtype=np.float64) / 257.0
    elif picture.mode == "F":
        # Numbers are fractions of white, or levels, or too large for either.
        levels = np.nan_to_num(np.asarray(picture, dtype=np.float64))
        levels *= 255.0 if levels.max(initial=0.0) <= 1.0 else 1.0
    else:
        return picture
    return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The picture converted from the colour space of an ICC profile, if it fits the picture."""
    if picture.mode not in ("L", "CMYK"):
        picture = picture.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            # A broken profile is no reason to lose the photo.
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _linear_of_code() -> Float[Tensor, " code=256"]:
    """Linear light of each 8-bit sRGB value."""
    code = torch.arange(256, dtype=torch.float32) / 255.0
    return kornia.color.rgb_to_linear_rgb(code.expand(3, 1, 256))[0, 0]
