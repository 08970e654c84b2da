"""The training loss: label-smoothed cross-entropy of the words, and guided alignment.

Guided alignment (Chen et al. 2016) trains two cross-attention heads to attend to the source words
that an aligner links to a target word: head 0 of the last decoder layer in the row that predicts
the word, and INPUT_HEAD of the first layer in the row in which the word is the decoder's input.
"""

import torch
import torch.nn.functional as F

import corpus

INPUT_HEAD = 1
ROWS = 128  # tokens at a time, so that their logits stay in a CPU's cache


class SmoothedCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of softmax(x · weightᵀ + bias), in bfloat16, with its gradient: the
    logits, 8,000 per token, are never kept."""

    @staticmethod
    def forward(ctx, x, weight, bias, target, smoothing):
        x, weight16, bias16 = (t.detach().to(torch.bfloat16) for t in (x, weight, bias))
        n, vocab = len(x), len(weight)
        slope = torch.empty(
            n, vocab, dtype=torch.bfloat16, device=x.device
        )  # gradient of the loss by logits
        total = 0.0
        for at in range(0, n, ROWS):
            rows = slice(at, min(n, at + ROWS))
            log_p = torch.log_softmax(F.linear(x[rows], weight16, bias16).float(), -1)
            wanted = log_p.gather(1, target[rows, None])
            total += ((smoothing - 1) * wanted.sum() - smoothing / vocab * log_p.sum()).item()
            p = log_p.exp_().sub_(smoothing / vocab)
            p.scatter_add_(1, target[rows, None], torch.full_like(wanted, smoothing - 1))
            slope[rows] = p
        ctx.save_for_backward(slope, x, weight16)
        return torch.tensor(total / n, device=x.device)

    @staticmethod
    def backward(ctx, grad):
        slope, x, weight16 = ctx.saved_tensors
        scale = grad / len(x)
        by_x = (slope @ weight16) * scale.to(slope.dtype)
        by_weight = (slope.T @ x).float() * scale
        ones = torch.ones(1, len(x), dtype=slope.dtype, device=x.device)
        return by_x, by_weight, (ones @ slope)[0].float() * scale, None, None


def guided(weights, align):
    """Cross-entropy of one head's attention [batch, target, source] against the links, over the
    target pieces that have one."""
    linked = align.sum(-1) > 0
    if not linked.any():
        return 0.0
    wanted = align[linked] / align[linked].sum(-1, keepdim=True)
    return -(wanted * torch.log(weights[linked] + 1e-6)).sum(-1).mean()


def loss_of(model, batch, guided_weight, smoothing):
    """The loss, its cross-entropy part (both per token), and the number of tokens."""
    device = model.bias.device
    source, target_in, target_out, align = (t.to(device) for t in corpus.tensors(batch, model.pad))
    memory, mask = model.encode(source)
    x, weights = model.decode(target_in, memory, mask)
    real = target_out != -100
    words = SmoothedCrossEntropy.apply(
        x[real], model.shared.weight, model.bias, target_out[real], smoothing
    )
    loss = words
    if guided_weight:
        predicting = guided(weights[-1][:, 0], align)
        # In row t the input is target piece t - 1.
        reading = guided(weights[0][:, INPUT_HEAD, 1:], align[:, :-1])
        loss = loss + guided_weight * (predicting + reading)
    return loss, float(words.detach()), int(real.sum())
