"""Run the small networks of the detectors."""

import threading
from typing import Any

import kornia
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.weights import weights

# An interpreter holds the buffers of one call, so each thread has its own.
_of_thread = threading.local()


def run_network(name: str, image: Float[Tensor, "rgb=3 size size"]) -> list[Tensor]:
    """Outputs of the network, given a picture whose values it expects."""
    interpreter = _interpreter(name)
    pixels = image.cpu().movedim(0, -1)[None].contiguous().numpy()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    outputs = interpreter.get_output_details()
    return [torch.from_numpy(np.copy(interpreter.get_tensor(out["index"]))) for out in outputs]


def gamma_coded(image: Float[Tensor, "rgb=3 h w"]) -> Float[Tensor, "rgb=3 h w"]:
    """The picture in sRGB values, which is what the networks were trained on."""
    return kornia.color.linear_rgb_to_rgb(image.clamp(0.0, 1.0))


def _interpreter(name: str) -> Any:
    loaded = vars(_of_thread)
    if name not in loaded:
        loaded[name] = Interpreter(model_path=str(weights(name)), num_threads=1)
        loaded[name].allocate_tensors()
    return loaded[name]
