"""The transformer that train.py trains: post-norm, ReLU, sinusoidal positions, one embedding.

Dimensions: batch, source and target (tokens), heads, model_dim, vocab.
"""

import math
import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

EOS, UNK = 0, 1


@dataclass(frozen=True)
class Shape:
    vocab: int  # including padding, the last id
    dim: int = 256
    heads: int = 4
    ffn: int = 1024
    enc: int = 6
    dec: int = 2
    positions: int = 512


class Dropout:
    """Dropout masks are random slices of one pool, far cheaper on a CPU than fresh ones."""

    def __init__(self, drop, device="cpu", size=1 << 24):
        self.size = size
        self.pool = (torch.rand(size, device=device) >= drop).float() / (1 - drop)
        self.pool16 = self.pool.to(torch.bfloat16)

    def __call__(self, x):
        at = random.randrange(self.size - x.numel())
        pool = self.pool16 if x.dtype == torch.bfloat16 else self.pool
        return x * pool[at : at + x.numel()].view(x.shape)


def no_dropout(x):
    return x


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = linear(dim, dim), linear(dim, dim)
        self.v_proj, self.out_proj = linear(dim, dim), linear(dim, dim)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x, memory, mask):
        """Returns the output and the weights [batch, heads, target, source]. `mask` is minus
        infinity for hidden keys, else 0. PyTorch's fused attention is slower than these
        products on a CPU, for sentences of a dozen tokens."""
        q, k = self.split(self.q_proj(x)), self.split(self.k_proj(memory))
        v = self.split(self.v_proj(memory))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        weights = torch.softmax(scores.float() + mask, -1)
        context = weights.to(v.dtype) @ v
        return self.out_proj(context.transpose(1, 2).reshape(x.shape)), weights


class Layer(nn.Module):
    """A layer of the encoder or, with cross-attention, of the decoder. Parameter names are Marian's."""

    def __init__(self, shape, cross, dropout):
        super().__init__()
        self.dropout = dropout
        self.self_attn = Attention(shape.dim, shape.heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.dim)
        if cross:
            self.encoder_attn = Attention(shape.dim, shape.heads)
            self.encoder_attn_layer_norm = nn.LayerNorm(shape.dim)
        self.fc1, self.fc2 = linear(shape.dim, shape.ffn), linear(shape.ffn, shape.dim)
        self.final_layer_norm = nn.LayerNorm(shape.dim)

    def forward(self, x, mask, memory=None, memory_mask=None):
        """Returns x and the weights of the cross-attention, if any."""
        attended, _ = self.self_attn(x, x, mask)
        x = self.self_attn_layer_norm(x + self.dropout(attended))
        weights = None
        if memory is not None:
            attended, weights = self.encoder_attn(x, memory, memory_mask)
            x = self.encoder_attn_layer_norm(x + self.dropout(attended))
        hidden = self.fc2(F.relu(self.fc1(x)))
        return self.final_layer_norm(x + self.dropout(hidden)), weights


class Transformer(nn.Module):
    def __init__(self, shape, dropout=no_dropout):
        super().__init__()
        self.shape, self.dropout, self.pad = shape, dropout, shape.vocab - 1
        self.dtype = torch.float32  # of the layers, see in_bfloat16
        self.shared = nn.Embedding(shape.vocab, shape.dim)
        nn.init.normal_(self.shared.weight, std=shape.dim**-0.5)
        self.clear_padding()
        positions = sinusoids(shape.positions, shape.dim)
        self.register_buffer("positions", positions, persistent=False)
        self.encoder = nn.ModuleList(Layer(shape, False, dropout) for _ in range(shape.enc))
        self.decoder = nn.ModuleList(Layer(shape, True, dropout) for _ in range(shape.dec))
        self.bias = nn.Parameter(torch.zeros(shape.vocab))

    def in_bfloat16(self):
        """Makes the layers compute in bfloat16. Embeddings stay in float32, where gradients of
        frequent pieces add up precisely."""
        self.dtype = torch.bfloat16
        self.encoder.to(self.dtype)
        self.decoder.to(self.dtype)
        return self

    @torch.no_grad()
    def clear_padding(self):
        """Decoding starts from padding, whose embedding is zero, as in Marian. Call after each
        update: the row is shared with the output, and so gets gradients."""
        self.shared.weight[self.pad].zero_()

    def embed(self, ids):
        x = self.shared(ids) * math.sqrt(self.shape.dim) + self.positions[: ids.shape[1]]
        return self.dropout(x.to(self.dtype))

    def encode(self, source):
        """Encoder output [batch, source, model_dim] and the mask of padding."""
        mask = masked((source == self.pad)[:, None, None, :])
        x = self.embed(source)
        for layer in self.encoder:
            x, _ = layer(x, mask)
        return x, mask

    def decode(self, target, memory, memory_mask):
        """Decoder output [batch, target, model_dim] and, for each layer, the weights of the
        cross-attention [batch, heads, target, source]."""
        n = target.shape[1]
        mask = masked(torch.ones(n, n, dtype=torch.bool, device=target.device).triu(1))
        x, weights = self.embed(target), []
        for layer in self.decoder:
            x, layer_weights = layer(x, mask, memory, memory_mask)
            weights.append(layer_weights)
        return x, weights

    def logits(self, x):
        return F.linear(x.float(), self.shared.weight, self.bias)


def masked(hidden):
    """The mask to add to attention scores: minus infinity where `hidden`, else 0."""
    return torch.zeros(hidden.shape, device=hidden.device).masked_fill(hidden, -torch.inf)


def sinusoids(length, dim):
    """[length, dim]: all sines in the first half, all cosines in the second."""
    position = torch.arange(length, dtype=torch.float64)[:, None]
    angle = position / 10000 ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


def padded(rows, pad):
    """Lists of ids as one tensor [rows, longest]."""
    longest = max(map(len, rows))
    return torch.tensor([row + [pad] * (longest - len(row)) for row in rows])


@torch.no_grad()
def greedy(model, sources, batch=64):
    """The most likely token at each step, for lists of ids without </s>. Returns one list per
    source, cut at twice the tokens of the batch's longest source, plus 10."""
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    result = [None] * len(sources)
    for at in range(0, len(order), batch):
        rows = order[at : at + batch]
        device = model.bias.device
        batch_ids = padded([sources[i] + [EOS] for i in rows], model.pad)
        memory, mask = model.encode(batch_ids.to(device))
        out = torch.full((len(rows), 1), model.pad, device=device)
        done = torch.zeros(len(rows), dtype=torch.bool, device=device)
        limit = 2 * memory.shape[1] + 10
        while out.shape[1] <= limit and not done.all():
            x, _ = model.decode(out, memory, mask)
            logits = model.logits(x[:, -1])
            logits[:, [UNK, model.pad]] = -torch.inf
            best = logits.argmax(-1).masked_fill(done, EOS)
            out = torch.cat([out, best[:, None]], 1)
            done |= best == EOS
        for i, ids in zip(rows, out[:, 1:].tolist()):
            result[i] = ids[: ids.index(EOS)] if EOS in ids else ids
    return result
