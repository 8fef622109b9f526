"""Teaching the network of parts with examples."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from headrecon.learning.augment import augmented
from headrecon.learning.checkpoint import keep, restored
from headrecon.learning.shards import Examples
from headrecon.photos.head_network import SIZE, HeadNetwork
from headrecon.truth import LABELS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Teach:
    """Weights that tell labels, found by stochastic gradient descent on their cross entropy.

    What is kept is the running mean of the weights, which is better than the last ones and needs
    no early stop.

    References: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; Polyak
    and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control 1992.
    """

    epochs: int
    batch: int
    rate: float
    """Largest step size; it rises over the first tenth of the steps and falls to nothing."""
    decay: float
    memory: float
    """Share of the running mean that is kept in each step."""
    ears_weight: float
    """Of pixels of ears, which are few, beside those of others."""
    seed: int

    def __call__(self, examples: Examples, folder: Path, device: torch.device) -> HeadNetwork:
        """Teach, or go on from the last epoch that is in `folder`."""
        torch.manual_seed(self.seed)
        network = HeadNetwork().to(device)
        steps = self.epochs * (len(examples.images) // self.batch)
        optimizer = torch.optim.AdamW(network.parameters(), self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.rate, steps, pct_start=0.1)
        mean = AveragedModel(
            network, multi_avg_fn=get_ema_multi_avg_fn(self.memory), use_buffers=True
        )
        parts = {"network": network, "optimizer": optimizer, "schedule": schedule, "mean": mean}
        first = restored(parts, folder)
        weights = torch.ones(len(LABELS), device=device)
        weights[LABELS.index("ears")] = self.ears_weight
        writer = SummaryWriter(str(folder / "tensorboard"))
        for epoch in range(first, self.epochs):
            losses = []
            generator = torch.Generator().manual_seed(1000 * self.seed + epoch)
            for images, guesses, labels in self._batches(examples, generator):
                seen = network(images.to(device), guesses.to(device))
                loss = functional.cross_entropy(seen, labels.to(device), weights)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                mean.update_parameters(network)
                losses.append(loss.detach())
            about = float(torch.stack(losses).mean())
            writer.add_scalar("loss/labels", about, epoch)
            logger.info("epoch %d of %d: labels %.4f", epoch + 1, self.epochs, about)
            keep(parts, epoch + 1, folder)
        writer.close()
        network.load_state_dict(mean.module.state_dict())
        return network.cpu().eval()

    def _batches(
        self, examples: Examples, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All examples once, in any order, changed by chance; what is left over is dropped."""
        order = torch.randperm(len(examples.images), generator=generator)
        for chosen in order.split(self.batch):
            if len(chosen) == self.batch:
                yield augmented(
                    examples.images[chosen].float() / 255.0,
                    examples.guesses[chosen].float() / 255.0,
                    examples.labels[chosen].long(),
                    SIZE,
                    generator,
                )
