"""Makes tests/golden/torch_files: small files by torch.save, in its current and its legacy format.

    pip install torch
    python tests/golden/make_torch_files.py

expected.json has, for each tensor of state.pt and state_legacy.pt that may be a weight, its dtype,
shape and values.
"""

import json
import os
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent / "torch_files"


def state():
    plain = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4
    return {
        "plain": plain,
        "tied": plain,
        "parameter": nn.Parameter(torch.tensor([1.5, -2.0])),
        "transposed": torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
        "middle": torch.arange(12, dtype=torch.float32).reshape(3, 4)[1:, 1:3],
        "permuted": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4).permute(2, 0, 1),
        "half": torch.tensor([[0.5, -65504.0, 1e-7]]).half(),
        "brain": torch.tensor([0.5, 1e30]).bfloat16(),
        "odd": torch.arange(4).half()[1:],
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 3),
        "counter": torch.tensor(3),
        "mask": torch.ones(2, 2, dtype=torch.bool),
    }


def expected(tensors):
    return {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": tensor.detach().float().flatten().tolist(),
        }
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }


class Harmful:
    """A pickle that runs a command when Python reads it."""

    def __reduce__(self):
        return os.system, ("touch harm",)


def main():
    torch.manual_seed(1)
    FOLDER.mkdir(exist_ok=True)
    tensors = state()
    torch.save(tensors, FOLDER / "state.pt")
    torch.save(tensors, FOLDER / "state_legacy.pt", _use_new_zipfile_serialization=False)
    (FOLDER / "expected.json").write_text(json.dumps(expected(tensors), indent=1) + "\n")

    model = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    training = {
        "epoch": 3,
        "loss": 0.25,
        "best": None,
        "history": [0.5, -1, 2**40, "text", (1, 2, 3, 4), True],
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
    }
    torch.save(training, FOLDER / "training.pt")
    torch.save(model, FOLDER / "whole_model.pt")
    torch.save({"weight": torch.ones(1), "x": Harmful()}, FOLDER / "harmful.pt")
    torch.save({"weight": torch.ones(2).double()}, FOLDER / "float64.pt")
    torch.save({"weight": torch.ones(1).expand(1000)}, FOLDER / "expanded.pt")
    columns = torch.ones(8, 8).t()
    torch.save({f"weight_{i}": columns for i in range(6)}, FOLDER / "overlapping.pt")
    torch.save({1001 * "w": torch.ones(1)}, FOLDER / "long_name.pt")
    torch.save({"weight": torch.ones(1)}, FOLDER / "protocol_4.pt", pickle_protocol=4)
    torch.save([torch.ones(1)], FOLDER / "list.pt")


if __name__ == "__main__":
    main()
