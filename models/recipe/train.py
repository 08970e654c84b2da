"""Train a small translation model on a CPU and save it in the Hugging Face MarianMT layout.

DATA is the folder that prepare.py wrote. With train.align in it (align.py), the first
cross-attention head of the last decoder layer is taught the word alignment, so that a trace of it
can be read as one. OUT/model is the model, OUT/state.pt what training goes on from: it stops after
--minutes or --steps, and the same command goes on.
"""

import argparse
import math
import random
import time
from pathlib import Path

import sacrebleu
import sentencepiece as spm
import torch
import torch.nn.functional as F

import corpus
from export import export
from model import Dropout, Shape, Transformer, greedy

DEV_LINES = 1000
MOST_AVERAGED = 0.999


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("data", type=Path)
    add("out", type=Path)
    add("--langs", default="eng,deu", help="source and target, for the model's config")
    add("--dim", type=int, default=256)
    add("--heads", type=int, default=4)
    add("--ffn", type=int, default=1024)
    add("--enc", type=int, default=4, help="encoder layers")
    add("--dec", type=int, default=2, help="decoder layers")
    add("--drop", type=float, default=0.15, help="dropout")
    add("--tokens", type=int, default=3000, help="target tokens a batch")
    add("--lr", type=float, default=1.5e-3, help="the highest learning rate")
    add("--warmup", type=int, default=1500, help="steps up to it")
    add("--steps", type=int, default=10000, help="all steps; the learning rate falls to the end")
    add("--minutes", type=float, default=120, help="stop after that long, to be gone on with")
    add("--every", type=int, default=500, help="steps from one check and save to the next")
    add("--guided", type=float, default=0.1, help="weight of the alignment loss")
    add("--smoothing", type=float, default=0.1, help="label smoothing")
    add("--names", type=Path, help="folder with people.txt and places.txt, see names.py")
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=1)
    return parser.parse_args()


def loss_of(model, batch, guided, smoothing):
    """The loss, its share of the words alone (both a token), and the number of tokens."""
    source, target_in, target_out, align = corpus.tensors(batch, model.pad)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        memory, mask = model.encode(source)
        x, weights = model.decode(target_in, memory, mask)
        real = target_out != -100
        logits = model.logits(x[real])
    words = F.cross_entropy(logits.float(), target_out[real], label_smoothing=smoothing)
    loss = words
    if guided:
        aligned = real & (align.sum(-1) > 0)
        wanted = align[aligned] / align[aligned].sum(-1, keepdim=True)
        taught = torch.log(weights[:, 0][aligned] + 1e-6)
        loss = loss - guided * (wanted * taught).sum(-1).mean()
    return loss, float(words.detach()), int(real.sum())


def learning_rate(args, step):
    warm = min(1.0, step / args.warmup)
    progress = max(0, step - args.warmup) / max(1, args.steps - args.warmup)
    decay = 0.5 * (1 + math.cos(math.pi * progress))
    return args.lr * warm * (0.02 + 0.98 * decay)


class Trainer:
    """The model, its running average (which is what gets exported), and the optimizer."""

    def __init__(self, args, shape):
        self.args, self.step = args, 0
        self.model = Transformer(shape, Dropout(args.drop))
        self.average = Transformer(shape).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.Adam(self.model.parameters(), betas=(0.9, 0.98), eps=1e-9)

    def train(self, batch, guided):
        self.step += 1
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.args, self.step)
        loss, words, tokens = loss_of(self.model, batch, guided, self.args.smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.model.clear_padding()
        rate = 1 - min(MOST_AVERAGED, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.model.parameters()):
                mean.lerp_(now, rate)
        return words, tokens

    def parts(self):
        return dict(model=self.model, average=self.average, optimizer=self.optimizer)

    def save(self, path):
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state.update(step=self.step, shape=vars(self.model.shape))
        unfinished = path.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.rename(path)

    def load(self, path):
        state = torch.load(path)
        if state["shape"] != vars(self.model.shape):
            raise SystemExit(f"{path} is of another model, {state['shape']}: take another folder")
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.step = state["step"]


def check(model, sp, data):
    """Prints BLEU on the dev set, and some translations."""
    sources, references = (
        (data / f"dev.{side}").read_text(encoding="utf-8").splitlines()[:DEV_LINES]
        for side in ("src", "tgt")
    )
    outputs = sp.decode(greedy(model, sp.encode(sources)))
    print(f"dev BLEU {sacrebleu.corpus_bleu(outputs, [references]).score:.2f}")
    for i in range(0, len(sources), max(1, len(sources) // 4)):
        print(f"  {sources[i]} => {outputs[i]} | reference: {references[i]}", flush=True)


def train(args, trainer, make_batches, guided, save):
    """Until --steps or --minutes are over. `make_batches` gives those of one pass over the data."""
    start = time.monotonic()

    def minutes():
        return (time.monotonic() - start) / 60

    tokens_seen, loss_sum = 0, 0.0
    while trainer.step < args.steps and minutes() < args.minutes:
        for batch in make_batches():
            loss, tokens = trainer.train(batch, guided)
            tokens_seen, loss_sum = tokens_seen + tokens, loss_sum + loss * tokens
            if trainer.step % 50 == 0:
                print(
                    f"step {trainer.step}, loss {loss_sum / tokens_seen:.3f}, "
                    f"{minutes():.1f} minutes",
                    flush=True,
                )
                tokens_seen, loss_sum = 0, 0.0
            if trainer.step >= args.steps or minutes() >= args.minutes:
                break
            if trainer.step % args.every == 0:
                save()
    save()


def main():
    args = parse_arguments()
    languages = args.langs.split(",")
    if len(languages) != 2:
        raise SystemExit("--langs takes two names, such as eng,deu")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)  # for Dropout
    spm_file = args.data / "spm.model"
    sp = spm.SentencePieceProcessor(model_file=str(spm_file))
    shape = Shape(sp.get_piece_size() + 1, args.dim, args.heads, args.ffn, args.enc, args.dec)
    examples, aligned = corpus.load(args.data, sp)
    guided = args.guided if aligned else 0.0
    print(f"{len(examples)} examples, {'with' if guided else 'without'} word alignment")

    trainer = Trainer(args, shape)
    args.out.mkdir(parents=True, exist_ok=True)
    state = args.out / "state.pt"
    if state.exists():
        trainer.load(state)
        print(f"going on from step {trainer.step} of {state}")
    print(f"{sum(p.numel() for p in trainer.model.parameters())} parameters", flush=True)

    rng = random.Random(args.seed + trainer.step)
    rename = corpus.Renamer(sp, args.names, rng) if args.names else None
    vary = corpus.Varier(examples, sp, rng, rename)

    def make_batches():
        return corpus.batches(vary(), args.tokens, rng)

    def save():
        check(trainer.average, sp, args.data)
        trainer.save(state)
        export(trainer.average, sp, spm_file, languages, guided > 0, args.out / "model")

    train(args, trainer, make_batches, guided, save)


if __name__ == "__main__":
    main()
