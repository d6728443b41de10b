"""All that a training run is, kept in one file after each epoch."""
import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common import UserError, put


class Epoch(NamedTuple):
    """What an engine did in one epoch."""

    losses: list        # of each batch
    loss: float         # their mean over the images
    accuracy: float     # on the test images
    seconds: float


@dataclass
class Run:
    """The engines, the order of what comes, and what was reached so far."""

    settings: dict              # a run goes on with the same ones only
    engines: list
    rng: np.random.Generator
    history: dict               # a list of Epochs for each engine's name

    @property
    def epochs(self):
        """Return how many epochs are complete."""
        return min(map(len, self.history.values()))

    def save(self, path):
        """Write everything."""
        about = {"settings": self.settings, "epochs": self.epochs,
                 "rng": self.rng.bit_generator.state,
                 "rows": {name: [epoch[1:] for epoch in epochs]
                          for name, epochs in self.history.items()}}
        arrays = {"about": np.array(json.dumps(about))}
        for engine in self.engines:
            arrays[f"{engine.name} losses"] = np.array(
                [epoch.losses for epoch in self.history[engine.name]])
            arrays.update((f"{engine.name} {i}", array)
                          for i, array in enumerate(engine.state()))
        put(path, lambda new: np.savez(new, **arrays))

    def load(self, path):
        """Go back to what a file has; the settings must be the same."""
        try:
            arrays, about = read(path)
            for key, value in self.settings.items():
                if about["settings"].get(key) != value:
                    raise UserError(
                        f"--resume: {path} was trained with {key} "
                        f"{about['settings'].get(key)!r}, expected {value!r}; "
                        "pass that, another --out, or no --resume")
            for engine in self.engines:
                losses = arrays[f"{engine.name} losses"]
                rows = about["rows"][engine.name]
                if not len(losses) == len(rows) == about["epochs"] > 0:
                    raise ValueError("epochs are lost")
                self.history[engine.name] = [
                    Epoch(list(row), *map(float, rest))
                    for row, rest in zip(losses, rows)]
                state = [arrays[f"{engine.name} {i}"]
                         for i in range(len(engine.state()))]
                for array, now in zip(state, engine.state()):
                    if array.shape != now.shape or array.dtype != now.dtype:
                        raise ValueError("of another network")
                engine.restore(state)
            self.rng.bit_generator.state = about["rng"]
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"--resume: {path} cannot be read as a checkpoint "
                            f"({type(error).__name__}); pass another --out, "
                            "or no --resume")


def read(path):
    """Return the arrays of a checkpoint, and what it says about them."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return arrays, json.loads(str(arrays.pop("about")))


def epochs_in(path):
    """Return how many epochs a checkpoint has, 0 if there is none."""
    try:
        return int(read(path)[1]["epochs"])
    except Exception:       # whatever is wrong with the file
        return 0
