"""Starts a model from the weights of another, in the Hugging Face MarianMT layout, whose pieces and
number of layers may differ."""

import json

import sentencepiece as spm
import torch
from safetensors.torch import load_file

from model import EOS, UNK


def embeddings(old_weight, old_bias, old_sp, old_ids, sp, model):
    """Pieces that both models have keep their vectors; others get the mean of the old pieces that
    they split into, or keep their initial vectors."""
    weight, bias = model.shared.weight.data, model.bias.data
    for i in range(sp.get_piece_size()):
        piece = sp.id_to_piece(i)
        parts = (
            [piece] if piece in old_ids else old_sp.encode(piece.replace("▁", " "), out_type=str)
        )
        ids = [old_ids[part] for part in parts if part in old_ids and old_ids[part] != UNK]
        if i in (EOS, UNK):
            ids = [i]
        if ids and (piece in old_ids or not piece.startswith("<0x")):
            weight[i] = old_weight[ids].mean(0)
            bias[i] = old_bias[ids].mean()


def layer_map(old, new):
    """The old layer that each new one is a copy of: middle ones are repeated."""
    return [round(i * (old - 1) / max(1, new - 1)) for i in range(new)]


@torch.no_grad()
def warm_start(model, sp, folder):
    tensors = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    old_ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    old_sp = spm.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    embeddings(
        tensors["model.shared.weight"], tensors["final_logits_bias"][0], old_sp, old_ids, sp, model
    )
    model.clear_padding()
    for side in ("encoder", "decoder"):
        layers = getattr(model, side)
        for new, old in enumerate(layer_map(config[f"{side}_layers"], len(layers))):
            prefix = f"model.{side}.layers.{old}."
            layers[new].load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )
