"""Trains a toy: an nn.Transformer as in PyTorch's tutorial, on an invented language, in a minute.

    pip install torch
    python models/from_pytorch/train.py toy.pt

writes toy.pt (the model's state_dict) and toy.json (what the tensors do not say) for
`limpid convert --from=toy.pt`.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
from torch import nn

SPECIAL = ["<unk>", "<pad>", "<bos>", "<eos>"]
UNK, PAD, BOS, EOS = range(4)

# The invented language puts the verb last, has no articles, and reverses each word.
NOUNS = "dog cat bird fish man woman child king queen baker farmer doctor".split()
VERBS = "sees likes follows feeds finds calls hears paints".split()
ADJECTIVES = "old young red big small happy tired clever".split()


def sentence():
    def phrase():
        return ["the"] + random.sample(ADJECTIVES, random.randint(0, 2)) + [random.choice(NOUNS)]

    subject, verb, object_ = phrase(), random.choice(VERBS), phrase()
    source = subject + [verb] + object_
    target = [word[::-1] for word in subject[1:] + object_[1:] + [verb]]
    return source, target


class PositionalEncoding(nn.Module):
    def __init__(self, emb_size, maxlen=64):
        super().__init__()
        den = torch.exp(-torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
        pos = torch.arange(0, maxlen).reshape(maxlen, 1)
        pos_embedding = torch.zeros((maxlen, emb_size))
        pos_embedding[:, 0::2] = torch.sin(pos * den)
        pos_embedding[:, 1::2] = torch.cos(pos * den)
        self.register_buffer("pos_embedding", pos_embedding.unsqueeze(-2))

    def forward(self, token_embedding):
        return token_embedding + self.pos_embedding[: token_embedding.size(0), :]


class TokenEmbedding(nn.Module):
    def __init__(self, vocab_size, emb_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, emb_size)
        self.emb_size = emb_size

    def forward(self, tokens):
        return self.embedding(tokens.long()) * math.sqrt(self.emb_size)


class Seq2SeqTransformer(nn.Module):
    """Tokens are [length, batch], as in the tutorial."""

    def __init__(self, layers, emb_size, nhead, source_vocab, target_vocab, ffn, **options):
        super().__init__()
        self.transformer = nn.Transformer(
            d_model=emb_size,
            nhead=nhead,
            num_encoder_layers=layers,
            num_decoder_layers=layers,
            dim_feedforward=ffn,
            dropout=0.0,
            **options,
        )
        self.generator = nn.Linear(emb_size, target_vocab)
        self.src_tok_emb = TokenEmbedding(source_vocab, emb_size)
        self.tgt_tok_emb = TokenEmbedding(target_vocab, emb_size)
        self.positional_encoding = PositionalEncoding(emb_size)

    def encode(self, src, src_padding=None):
        x = self.positional_encoding(self.src_tok_emb(src))
        return self.transformer.encoder(x, src_key_padding_mask=src_padding)

    def decode(self, tgt, memory, src_padding=None):
        x = self.positional_encoding(self.tgt_tok_emb(tgt))
        mask = nn.Transformer.generate_square_subsequent_mask(tgt.size(0))
        x = self.transformer.decoder(
            x, memory, tgt_mask=mask, memory_key_padding_mask=src_padding
        )
        return self.generator(x)


def padded(rows):
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], padding_value=PAD)


def batch(source_ids, target_ids, size):
    """Sources end with <eos>; targets begin with <bos>, too."""
    pairs = [sentence() for _ in range(size)]
    source = padded([[source_ids[w] for w in s] + [EOS] for s, _ in pairs])
    target = padded([[BOS] + [target_ids[w] for w in t] + [EOS] for _, t in pairs])
    return source, target


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the file to write: toy.pt")
    parser.add_argument("--steps", type=int, default=900)
    args = parser.parse_args()
    torch.set_num_threads(1)  # more threads slow down a model this small
    random.seed(1)
    torch.manual_seed(1)

    source_vocabulary = SPECIAL + ["the"] + NOUNS + VERBS + ADJECTIVES
    target_vocabulary = SPECIAL + [word[::-1] for word in NOUNS + VERBS + ADJECTIVES]
    source_ids = {word: i for i, word in enumerate(source_vocabulary)}
    target_ids = {word: i for i, word in enumerate(target_vocabulary)}
    model = Seq2SeqTransformer(
        2, 64, 4, len(source_vocabulary), len(target_vocabulary), ffn=128
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss(ignore_index=PAD)
    begin = time.monotonic()
    for step in range(1, args.steps + 1):
        source, target = batch(source_ids, target_ids, 64)
        padding = (source == PAD).T
        logits = model.decode(target[:-1], model.encode(source, padding), padding)
        loss = loss_of(logits.flatten(0, 1), target[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.4f}, {time.monotonic() - begin:.0f} s")

    torch.save(model.state_dict(), args.out)
    description = {
        "heads": 4,
        "positions": "interleaved",
        "scale_embedding": True,
        "source_bos": False,
        "source_vocabulary": source_vocabulary,
        "target_vocabulary": target_vocabulary,
    }
    args.out.with_suffix(".json").write_text(json.dumps(description, indent=1) + "\n")


if __name__ == "__main__":
    main()
