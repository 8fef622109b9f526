"""Run the small networks of the detectors."""

import functools
import threading
import warnings
from typing import Any

import kornia
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.weights import weights

INSIDE = {
    "face_landmark": ("p_re_lu_18", (1, 3, 3, 128)),
    "face_detection_back": ("activation_32", (1, 8, 8, 96)),
}
"""The layer before a network puts what it knows into points: how its name begins, and its shape."""

# An interpreter holds the buffers of one call, so each thread has its own.
_of_thread = threading.local()
# Python's filters of warnings belong to all threads, and so one thread at a time may change them.
_filtering = threading.Lock()


def run_network(name: str, image: Float[Tensor, "rgb=3 size size"]) -> list[Tensor]:
    """Outputs of the network, given a picture whose values it expects."""
    return _run(_interpreter(name, False), image)


def look_inside(
    name: str, image: Float[Tensor, "rgb=3 size size"]
) -> tuple[list[Tensor], Float[Tensor, "..."]]:
    """Outputs of the network, and what its layer in `INSIDE` has."""
    interpreter = _interpreter(name, True)
    outputs = _run(interpreter, image)
    layer = _layer(interpreter, *INSIDE[name])
    return outputs, torch.from_numpy(np.copy(interpreter.get_tensor(layer)))


@functools.cache
def _layer(interpreter: Any, beginning: str, shape: tuple[int, ...]) -> int:
    """The index of a layer; to go through all of them takes as long as the network itself."""
    return next(
        tensor["index"]
        for tensor in interpreter.get_tensor_details()
        if tensor["name"].startswith(beginning) and tuple(tensor["shape"]) == shape
    )


def _run(interpreter: Any, image: Float[Tensor, "rgb=3 size size"]) -> list[Tensor]:
    pixels = image.cpu().movedim(0, -1)[None].contiguous().numpy()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    outputs = interpreter.get_output_details()
    return [torch.from_numpy(np.copy(interpreter.get_tensor(out["index"]))) for out in outputs]


def gamma_coded(image: Float[Tensor, "rgb=3 h w"]) -> Float[Tensor, "rgb=3 h w"]:
    """The picture in sRGB values, which is what the networks were trained on."""
    return kornia.color.linear_rgb_to_rgb(image.clamp(0.0, 1.0))


def _interpreter(name: str, open_inside: bool) -> Any:
    """The network's interpreter of this thread; to look inside takes one of its own."""
    loaded = vars(_of_thread)
    key = f"{name}, inside" if open_inside else name
    if key not in loaded:
        with _filtering, warnings.catch_warnings():
            # These networks are small enough to keep what is inside of them.
            warnings.filterwarnings("ignore", message=".*preserve_all_tensors")
            loaded[key] = Interpreter(
                model_path=str(weights(name)),
                num_threads=1,
                experimental_preserve_all_tensors=open_inside,
            )
        loaded[key].allocate_tensors()
    return loaded[key]
