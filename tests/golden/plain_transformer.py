"""The Marian transformer made of PyTorch's own modules, with the options that transformers ignores.

The current MarianMTModel is post-norm and ignores `normalize_before`, `normalize_embedding` and
`add_final_layer_norm`; in old releases, in which Marian shared its code with BART, they meant what
they do here. The names of the extra norms' tensors are those of BART, too.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class PlainTransformer:
    """Runs a Hugging Face checkpoint: `tensors` by name, `config` as in config.json."""

    def __init__(self, config, tensors):
        self.config = config
        self.tensors = {name: tensor.float() for name, tensor in tensors.items()}
        self.encoder = self._stack("encoder", nn.TransformerEncoderLayer, nn.TransformerEncoder)
        self.decoder = self._stack("decoder", nn.TransformerDecoderLayer, nn.TransformerDecoder)

    def __call__(self, source, target):
        """Encoder output [source, model_dim] and logits [target, vocab] for ids of one sentence."""
        memory = self.encoder(self._embed("encoder", source))
        mask = nn.Transformer.generate_square_subsequent_mask(len(target))
        hidden = self.decoder(self._embed("decoder", target), memory, tgt_mask=mask)
        embedding = self.tensors["model.shared.weight"]
        logits = functional.linear(hidden, embedding, self.tensors["final_logits_bias"][0])
        return memory[0], logits[0]

    def _embed(self, side, ids):
        dim = self.config["d_model"]
        scale = math.sqrt(dim) if self.config["scale_embedding"] else 1.0
        rows = self.tensors["model.shared.weight"][torch.tensor(ids)] * scale
        x = rows + sinusoids(len(ids), dim)
        if self.config["normalize_embedding"]:
            self._load(norm := nn.LayerNorm(dim), f"model.{side}.layernorm_embedding")
            x = norm(x)
        return x[None]

    def _stack(self, side, layer_type, stack_type):
        config = self.config
        layer = layer_type(
            config["d_model"],
            config[f"{side}_attention_heads"],
            config[f"{side}_ffn_dim"],
            dropout=0.0,
            activation=config["activation_function"],
            batch_first=True,
            norm_first=config["normalize_before"],
        )
        norm = None
        if config["add_final_layer_norm"]:
            self._load(norm := nn.LayerNorm(config["d_model"]), f"model.{side}.layer_norm")
        options = {"enable_nested_tensor": False} if side == "encoder" else {}
        stack = stack_type(layer, config[f"{side}_layers"], norm=norm, **options)
        for i, each in enumerate(stack.layers):
            self._load_layer(each, f"model.{side}.layers.{i}")
        return stack.eval()

    def _load_layer(self, layer, prefix):
        self._load_attention(layer.self_attn, f"{prefix}.self_attn")
        self._load(layer.norm1, f"{prefix}.self_attn_layer_norm")
        last_norm = layer.norm2
        if isinstance(layer, nn.TransformerDecoderLayer):
            self._load_attention(layer.multihead_attn, f"{prefix}.encoder_attn")
            self._load(layer.norm2, f"{prefix}.encoder_attn_layer_norm")
            last_norm = layer.norm3
        self._load(layer.linear1, f"{prefix}.fc1")
        self._load(layer.linear2, f"{prefix}.fc2")
        self._load(last_norm, f"{prefix}.final_layer_norm")

    def _load_attention(self, attention, prefix):
        for part in ("weight", "bias"):
            projections = [self.tensors[f"{prefix}.{p}_proj.{part}"] for p in "qkv"]
            getattr(attention, f"in_proj_{part}").data = torch.cat(projections)
        self._load(attention.out_proj, f"{prefix}.out_proj")

    def _load(self, module, prefix):
        module.weight.data = self.tensors[f"{prefix}.weight"]
        module.bias.data = self.tensors[f"{prefix}.bias"]


def sinusoids(length, dim):
    """Positions [length, dim]: all sines in the first half, all cosines in the second."""
    position = torch.arange(length, dtype=torch.float64)[:, None]
    angle = position / 10000 ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()
