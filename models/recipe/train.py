"""Train a small translation model on a CPU or a GPU; save it in the Hugging Face MarianMT layout.

DATA is the folder that prepare.py and align.py wrote. Training stops after --minutes or --steps, or
when killed, and the same command resumes from the last save, OUT/state.pt. OUT/model is the running
average of the weights, for limpid convert; OUT/log.tsv is the learning curve. The learning rate is
constant after its warm-up, so that the end of training need not be known in advance. --decay_steps
makes a model to ship: it decays the rate to zero in that number of steps, writes OUT/decayed and
leaves the state unchanged.
"""

import argparse
import json
import os
import random
import signal
import time
from pathlib import Path

# Waiting threads sleep: while other programs compete for the processor, spinning makes a step up to
# ten times slower. OpenMP reads this when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import sacrebleu
import sentencepiece as spm
import torch

import corpus
from augment import Augmenter
from export import export
from loss import loss_of
from model import Dropout, Shape, Transformer, greedy
from rename import renamer
from templates import Templates
from warm_start import warm_start

CHECKED = (("dev", 400), ("phrases", 500))  # held-out sets, and how many lines of each


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("data", type=Path)
    add("out", type=Path)
    add("--langs", default="eng,deu", help="source and target")
    add("--init", type=Path, help="a model in the MarianMT layout to start from")
    add("--dim", type=int, default=256)
    add("--heads", type=int, default=4)
    add("--ffn", type=int, default=1024)
    add("--enc", type=int, default=6, help="encoder layers")
    add("--dec", type=int, default=2, help="decoder layers")
    add("--drop", type=float, default=0.1, help="dropout")
    add("--tokens", type=int, default=4000, help="target tokens in a batch")
    add("--lr", type=float, default=7e-4, help="the learning rate after warm-up")
    add("--warmup", type=int, default=500, help="steps to reach it")
    add("--average", type=float, default=0.999, help="decay of the running average per step")
    add("--steps", type=int, default=10**9)
    add("--minutes", type=float, default=10**9, help="stop after this long; resumable")
    add("--save_minutes", type=float, default=5, help="minutes between saves")
    add("--check_minutes", type=float, default=20, help="processor minutes between checks")
    add("--decay_steps", type=int, default=0)
    add("--guided", type=float, default=0.1, help="weight of each alignment loss")
    add("--smoothing", type=float, default=0.1, help="label smoothing")
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=1)
    return parser.parse_args()


def learning_rate(args, step, decay_from):
    rate = args.lr * min(1.0, step / args.warmup)
    if decay_from is not None:
        rate *= max(0.0, 1 - (step - decay_from) / args.decay_steps)
    return rate


class Trainer:
    """`model` computes in bfloat16; `master` has the float32 weights that the optimizer updates;
    `average` is their running average, which is exported."""

    def __init__(self, args, shape, device):
        self.args, self.step, self.seconds = args, 0, 0.0
        self.model = Transformer(shape, Dropout(args.drop, device)).in_bfloat16().to(device)
        self.master = Transformer(shape).to(device)
        self.average = Transformer(shape).eval().to(device)
        self.optimizer = torch.optim.Adam(
            self.master.parameters(), betas=(0.9, 0.98), eps=1e-9, fused=True
        )
        self.decay_from = None
        self.restart()

    def restart(self):
        """Call after setting the master's weights."""
        self.model.load_state_dict(self.master.state_dict())
        self.average.load_state_dict(self.master.state_dict())

    def train(self, batch):
        self.step += 1
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.args, self.step, self.decay_from)
        loss, words, tokens = loss_of(self.model, batch, self.args.guided, self.args.smoothing)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        with torch.no_grad():
            self.update()
        return words, tokens

    def update(self):
        for main, working in zip(self.master.parameters(), self.model.parameters()):
            main.grad = working.grad.to(main.dtype)
        torch.nn.utils.clip_grad_norm_(self.master.parameters(), 1.0)
        self.optimizer.step()
        self.master.clear_padding()
        keep = min(self.args.average, (self.step + 1) / (self.step + 10))
        masters = list(self.master.parameters())
        torch._foreach_lerp_(list(self.average.parameters()), masters, 1 - keep)
        for main, working in zip(masters, self.model.parameters()):
            working.copy_(main)

    def parts(self):
        return dict(master=self.master, average=self.average, optimizer=self.optimizer)

    def save(self, path):
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state.update(step=self.step, seconds=self.seconds, shape=vars(self.master.shape))
        unfinished = path.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.rename(path)

    def load(self, path):
        state = torch.load(path)
        if state["shape"] != vars(self.master.shape):
            raise SystemExit(f"{path} is of another model, {state['shape']}; use another folder")
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.model.load_state_dict(self.master.state_dict())
        self.step, self.seconds = state["step"], state["seconds"]


def check(model, sp, data):
    """BLEU and chrF on the first lines of held-out sets, as one line of numbers."""
    scores = {}
    for name, lines in CHECKED:
        if not (data / f"{name}.src").exists():
            continue
        sources, references = (
            (data / f"{name}.{side}").read_text(encoding="utf-8").splitlines()[:lines]
            for side in ("src", "tgt")
        )
        outputs = sp.decode(greedy(model, sp.encode(sources)))
        scores[f"{name}_bleu"] = sacrebleu.corpus_bleu(outputs, [references]).score
        scores[f"{name}_chrf"] = sacrebleu.corpus_chrf(outputs, [references]).score
    return {name: round(score, 2) for name, score in scores.items()}


class StopSignal:
    """Set by SIGTERM, so that the program saves before it ends."""

    def __init__(self):
        self.received = False
        signal.signal(signal.SIGTERM, self.receive)

    def receive(self, *_):
        self.received = True


class Interval:
    """Whether something is due again: every `minutes` of `clock`, which gives seconds."""

    def __init__(self, minutes, clock):
        self.minutes, self.clock, self.last = minutes, clock, clock()

    def due(self):
        if self.clock() - self.last < self.minutes * 60:
            return False
        self.last = self.clock()
        return True


def train(args, trainer, batches, save, check_now):
    """Runs until --steps, --minutes or SIGTERM. The learning curve and the interval of checks
    count processor time, which is independent of other programs."""
    stop = StopSignal()
    end = Interval(args.minutes, time.monotonic)
    saving = Interval(args.save_minutes, time.monotonic)
    checking = Interval(args.check_minutes, time.process_time)
    used, tokens_seen, loss_sum = time.process_time(), 0, 0.0
    for batch in batches:
        loss, tokens = trainer.train(batch)
        tokens_seen, loss_sum = tokens_seen + tokens, loss_sum + loss * tokens
        trainer.seconds += time.process_time() - used
        used = time.process_time()
        if trainer.step % 50 == 0:
            print(
                f"step {trainer.step}, loss {loss_sum / tokens_seen:.3f}, "
                f"{trainer.seconds / 60:.1f} processor minutes",
                flush=True,
            )
            tokens_seen, loss_sum = 0, 0.0
        if stop.received:
            return save()
        if trainer.step >= args.steps or end.due():
            break
        if saving.due():
            save()
        if checking.due():
            check_now()
    save()
    check_now()


def make_batches(args, sp, seed):
    languages = args.langs.split(",")
    rng = random.Random(seed)
    examples, weights, aligned = corpus.load(args.data)
    if not aligned:
        args.guided = 0.0
    print(
        f"{len(examples)} examples, {'with' if aligned else 'without'} word alignment", flush=True
    )
    templates = Templates(languages[1], rng)
    rename = renamer(languages[1], args.data, rng)
    augment = Augmenter(examples, languages[1], templates, rename, rng)
    return corpus.Stream(examples, weights, augment, sp, args.tokens, rng)


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)  # for Dropout
    device = "cuda" if torch.cuda.is_available() else "cpu"
    spm_file = args.data / "spm.model"
    sp = spm.SentencePieceProcessor(model_file=str(spm_file))
    shape = Shape(sp.get_piece_size() + 1, args.dim, args.heads, args.ffn, args.enc, args.dec)
    trainer = Trainer(args, shape, device)
    args.out.mkdir(parents=True, exist_ok=True)
    state, log = args.out / "state.pt", args.out / "log.tsv"
    if state.exists():
        trainer.load(state)
        print(f"resuming at step {trainer.step} of {state}")
    elif args.init:
        warm_start(trainer.master, sp, args.init)
        trainer.restart()
    print(f"{sum(p.numel() for p in trainer.master.parameters())} parameters", flush=True)
    batches = make_batches(args, sp, args.seed + trainer.step)
    model_folder = args.out / "model"
    if args.decay_steps:
        trainer.decay_from, args.steps = trainer.step, trainer.step + args.decay_steps
        args.average = min(args.average, 0.99)  # so that weights from the high rate fade
        model_folder = args.out / "decayed"

    def save():
        if not args.decay_steps:
            trainer.save(state)

    def check_now():
        export(trainer.average, sp, spm_file, args.langs.split(","), args.guided > 0, model_folder)
        scores = check(trainer.average, sp, args.data)
        row = dict(step=trainer.step, minutes=round(trainer.seconds / 60, 1), **scores)
        print(json.dumps(row), flush=True)
        if not args.decay_steps:
            with open(log, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")

    train(args, trainer, batches, save, check_now)


if __name__ == "__main__":
    main()
