"""From the bytes of a photo's file to linear light."""

import io
import warnings

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


def decode(photo: Photo, max_pixels: int) -> Float[Tensor, "rgb=3 h w"] | Rejection:
    """The picture in linear RGB, upright, or why it cannot be read.

    `max_pixels` guards memory: a small file can claim to hold a picture of any size. HEIC is read
    if pillow-heif is installed.

    Convention: linear RGB in [0, 1] with sRGB's primaries; black where the file is transparent.
    """
    content = photo.encoded.numpy().tobytes()
    if not content:
        return Rejection(photo.name, "empty file")
    try:
        with warnings.catch_warnings():
            # Odd metadata and sizes are judged here, by the picture that comes out.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > max_pixels:
                    return Rejection(photo.name, f"more than {max_pixels} pixels")
                picture = _upright_rgb(opened)
    except Image.DecompressionBombError:
        return Rejection(photo.name, f"more than {max_pixels} pixels")
    except Image.UnidentifiedImageError:
        return Rejection(photo.name, "not a picture, or of a kind that cannot be read")
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError) as error:
        # Broken files end in many ways inside the decoders.
        return Rejection(photo.name, f"broken file ({' '.join(str(error).split())})")
    return _linear_of_code()[torch.from_numpy(np.array(picture)).movedim(-1, 0).int()]


def _upright_rgb(opened: Image.Image) -> Image.Image:
    """The picture in 8-bit sRGB, turned as its EXIF tag says."""
    picture = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I"):
        # PIL clips 16-bit grey at 255 instead of scaling it.
        grey = np.asarray(picture, dtype=np.float64) / 257.0
        picture = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, (0, 0, 0, 255)), layer)
        return picture.convert("RGB")
    return _in_srgb(picture)


def _in_srgb(picture: Image.Image) -> Image.Image:
    """The picture converted from the colour space that its file declares, if it declares one."""
    declared = picture.info.get("icc_profile")
    if declared and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(declared))
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
