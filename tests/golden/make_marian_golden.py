"""Makes tests/golden/marian/: small models trained, converted, scored and decoded by Marian itself.

  pip install --no-deps pymarian==1.12.42 && pip install numpy sentencepiece
  python tests/golden/make_marian_golden.py

The package contains all of Marian, and one core trains each of these models in a second. Training
depends on the processor's arithmetic, so that a new run gives other weights and golden values to
match.
"""

import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import sentencepiece

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "marian")

SOURCE = "the a old new red blue man woman car house bought sold saw likes today yesterday big small".split()
TARGET = "der ein alter neuer roter blauer mann frau auto haus kaufte verkaufte sah mag heute gestern gross klein".split()


def marian(*arguments):
    """Runs one of Marian's commands and returns what it prints."""
    # main's return value does not tell success; that it returns does.
    code = "import sys, _pymarian; _pymarian.main(sys.argv[1:])"
    run = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"marian {arguments}: {run.stderr}")
    return run.stdout


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def corpus(sentences, seed):
    rng = random.Random(seed)
    meaning = dict(zip(SOURCE, TARGET))
    pairs = []
    for _ in range(sentences):
        words = [rng.choice(SOURCE) for _ in range(rng.randint(2, 8))]
        pairs.append((" ".join(words) + ".", " ".join(meaning[word] for word in words) + "."))
    return [source for source, _ in pairs], [target for _, target in pairs]


# --- Vocabularies ---


class SentencePieceSide:
    """A side whose ids are SentencePiece's own; Marian gets text."""

    def __init__(self, path):
        self.path = path
        self.processor = sentencepiece.SentencePieceProcessor(model_file=path)

    def lines(self, texts):
        return texts

    def ids(self, text):
        return self.processor.encode(text) + [0]

    def id(self, piece):
        return self.processor.piece_to_id(piece)


class YamlSide:
    """A side whose ids come from a vocab.yml; Marian gets pieces, as from OPUS-MT's scripts."""

    def __init__(self, path, spm, ids):
        self.path = path
        self.processor = sentencepiece.SentencePieceProcessor(model_file=spm)
        self.by_piece = ids

    def lines(self, texts):
        return [" ".join(self.processor.encode(text, out_type=str)) for text in texts]

    def ids(self, text):
        return [self.id(piece) for piece in self.processor.encode(text, out_type=str)] + [0]

    def id(self, piece):
        return self.by_piece.get(piece, 1)


def train_spm(path, texts, size):
    with tempfile.TemporaryDirectory() as folder:
        write_lines(folder + "/text", texts)
        sentencepiece.SentencePieceTrainer.train(
            input=folder + "/text", model_prefix=folder + "/m", vocab_size=size, eos_id=0, unk_id=1, bos_id=-1,
            pad_id=-1, hard_vocab_limit=False, normalization_rule_name="identity", minloglevel=2)
        shutil.copy(folder + "/m.model", path)


def write_vocab_yml(path, spms):
    """Writes one vocabulary for the pieces of both sides, in an order of its own."""
    pieces = set()
    for spm in spms:
        processor = sentencepiece.SentencePieceProcessor(model_file=spm)
        pieces |= {processor.id_to_piece(i) for i in range(processor.vocab_size())}
    pieces -= {"</s>", "<unk>"}
    ids = {piece: id for id, piece in enumerate(["</s>", "<unk>"] + sorted(pieces, key=lambda p: p[::-1]))}
    with open(path, "w", encoding="utf-8") as file:
        for piece, id in ids.items():
            file.write(f"{json.dumps(piece, ensure_ascii=False)}: {id}\n")
    return ids


# --- Models ---


def train(model, source, target, *options):
    with tempfile.TemporaryDirectory() as folder:
        sources, targets = corpus(400, seed=1)
        write_lines(folder + "/source", source.lines(sources))
        write_lines(folder + "/target", target.lines(targets))
        marian("train", "--type", "transformer", "--cpu-threads", 1, "--workspace", 128, "--quiet", "--seed", 1,
               "--train-sets", folder + "/source", folder + "/target", "--vocabs", source.path, target.path,
               "--model", folder + "/m.npz", "--after", "60u", "--learn-rate", 0.004, "--mini-batch", 32,
               "--overwrite", "--data-threads", 1, *options)
        shutil.copy(folder + "/m.npz", model)


def write_npz(path, arrays):
    """numpy.savez leaves sizes out of the zip's local headers, where Marian looks for them."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asanyarray(array), version=(1, 0))
            archive.writestr(name + ".npy", entry.getvalue())


def read_bin(path):
    """[name, type, shape, bytes] of each tensor of a Marian .bin."""
    with open(path, "rb") as file:
        data = file.read()
    version, count = struct.unpack_from("<2Q", data, 0)
    assert version == 1
    headers = [struct.unpack_from("<4Q", data, 16 + 32 * i) for i in range(count)]
    at = 16 + 32 * count
    tensors = []
    for name_size, type_code, _, _ in headers:
        tensors.append([data[at : at + name_size - 1].decode(), type_code, None, None])
        at += name_size
    for header, tensor in zip(headers, tensors):
        tensor[2] = struct.unpack_from(f"<{header[2]}i", data, at)
        at += 4 * header[2]
    at += 8 + struct.unpack_from("<Q", data, at)[0]
    for header, tensor in zip(headers, tensors):
        tensor[3] = data[at : at + header[3]]
        at += header[3]
    assert at == len(data)
    return tensors


def write_bin(path, tensors):
    head = struct.pack("<2Q", 1, len(tensors))
    for name, type_code, shape, data in tensors:
        head += struct.pack("<4Q", len(name) + 1, type_code, len(shape), len(data))
    head += b"".join(name.encode() + b"\0" for name, _, _, _ in tensors)
    head += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in tensors)
    padding = -(len(head) + 8) % 256
    with open(path, "wb") as file:
        file.write(head + struct.pack("<Q", padding) + bytes(padding))
        file.write(b"".join(data for _, _, _, data in tensors))


def padded(data):
    return data + bytes(-len(data) % 256)


def dequantized(tensors):
    """Float32 arrays, as in a .npz, of the tensors of a .bin."""
    arrays = {}
    for name, type_code, shape, data in tensors:
        size = int(np.prod(shape))
        if type_code == 0x404:
            arrays[name] = np.frombuffer(data, np.float32, size).reshape(shape)
        elif type_code == 0x101:
            arrays[name] = np.frombuffer(data, np.int8, size)
        elif not name.endswith("_QuantMultA"):
            values = np.frombuffer(data, np.int8, size).astype(np.float32)
            values /= np.frombuffer(data[size : size + 4], np.float32)[0]
            straight = name == "Wemb"
            arrays[name] = values.reshape(shape) if straight else np.ascontiguousarray(values.reshape(shape[::-1]).T)
    return arrays


def as_bergamot_has_it(tensors, for_inputs=None):
    """Upstream's int8 model as Bergamot's version of Marian writes it: the embedding is int8, too, the type code
    differs, and each GEMM has a stored multiplier for quantizing its input: the given one, or one of four that are
    coarse enough to make a difference. Bergamot needs a multiple of 8 pieces; those added here are too improbable to be
    produced."""
    def input_multiplier(product, number):
        value = np.float32(for_inputs or 10 + 4 * (number % 4))
        return [product + "_QuantMultA", 0x404, (1, 1), padded(value.tobytes())]

    out = []
    for name, type_code, shape, data in tensors:
        if name == "Wemb":
            values = np.frombuffer(data, np.float32, int(np.prod(shape)))
            values = np.pad(values.reshape(shape), ((0, -shape[0] % 8), (0, 0)))
            shape = values.shape
            multiplier = np.float32(127 / np.abs(values).max())
            data = np.rint(values * multiplier).astype(np.int8).tobytes() + multiplier.tobytes()
            out.append([name, 0x4101, shape, padded(data)])
            for product in ("none", "Wemb"):  # the output with a shortlist, and without
                out.append(input_multiplier(product, 2))
        elif type_code == 0x10001:
            out.append([name, 0x4101, shape, data])
            out.append(input_multiplier(name, len(out) // 2))
        elif name == "decoder_ff_logit_out_b":
            values = np.frombuffer(data, np.float32, shape[1])
            values = np.pad(values, (0, -shape[1] % 8), constant_values=-99)
            out.append([name, type_code, (1, len(values)), padded(values.tobytes())])
        elif name == "special:model.yml":  # its shape is its size in bytes, which must not change
            size = next(each[2][0] for each in tensors if each[0] == "Wemb")
            stated, wanted = (f"dim-vocabs:\n  - {n}\n  - {n}\n".encode() for n in (size, size + -size % 8))
            assert stated in data and len(stated) == len(wanted)
            out.append([name, type_code, shape, data.replace(stated, wanted)])
        else:
            out.append([name, type_code, shape, data])
    return out


def pad_spm(path, to):
    """Adds pieces that never occur in text (type 5, "unused") until their number is a multiple of 8."""
    shutil.copy(path, to)
    size = sentencepiece.SentencePieceProcessor(model_file=path).vocab_size()
    with open(to, "ab") as file:
        for i in range(-size % 8):
            name = f"<unused{i}>".encode()
            piece = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", 0) + b"\x18\x05"
            file.write(b"\x0a" + bytes([len(piece)]) + piece)


# --- Golden values ---


def score(model, source, target, sources, targets):
    """Marian's log-probability of each target token, and its alignment: [target tokens][source tokens]."""
    with tempfile.TemporaryDirectory() as folder:
        write_lines(folder + "/source", source.lines(sources))
        write_lines(folder + "/target", target.lines(targets))
        common = ("score", "--cpu-threads", 1, "--workspace", 128, "--quiet", "--model", model, "--vocabs", source.path,
                  target.path, "--train-sets", folder + "/source", folder + "/target", "--mini-batch", 1)
        words = marian(*common, "--word-scores").splitlines()
        soft = marian(*common, "--alignment", "soft").splitlines()
    scores = [[float(score) for score in line.split("WordScores= ")[1].split()] for line in words]
    alignments = [[[float(p) for p in row.split(",")] for row in line.split(" ||| ")[1].split()] for line in soft]
    return scores, alignments


BEAM_SIZE = 4


def decode(model, source, target, sources, beam_size):
    """Pairs of output ids, </s> included, and their log-probabilities; None if Marian cut the output."""
    with tempfile.TemporaryDirectory() as folder:
        write_lines(folder + "/source", source.lines(sources))
        lines = marian("decode", "--cpu-threads", 1, "--workspace", 128, "--quiet", "--models", model, "--vocabs",
                       source.path, target.path, "--input", folder + "/source", "--beam-size", beam_size, "--normalize",
                       1, "--n-best", "--word-scores", "--no-spm-decode").splitlines()
    outputs = {}
    for line in lines:
        number, pieces, scores, _, _ = line.split(" ||| ")
        ids = [target.id(piece) for piece in pieces.split()] + [0]
        scores = [float(score) for score in scores.split("WordScores= ")[1].split()]
        outputs.setdefault(number, (ids, scores) if len(ids) == len(scores) else None)  # the best comes first
    return list(outputs.values())


def write_golden(folder, model, source, target, int8_model=None, decodes=True):
    """`model` gives the golden values: the model in `folder`, or the same in float32."""
    sources, targets = corpus(8, seed=2)
    scores, alignments = score(model, source, target, sources, targets)
    nothing = [None] * len(sources)
    outputs = decode(model, source, target, sources, 1) if decodes else nothing
    beam_outputs = decode(model, source, target, sources, BEAM_SIZE) if decodes else nothing
    int8_outputs = decode(int8_model, source, target, sources, 1) if int8_model else nothing
    sentences = []
    for i in range(len(sources)):
        sentence = {"source": sources[i], "source_ids": source.ids(sources[i]), "target_ids": target.ids(targets[i]),
                    "log_probabilities": scores[i], "alignment": alignments[i]}
        assert len(sentence["target_ids"]) == len(scores[i]) == len(alignments[i])
        assert len(sentence["source_ids"]) == len(alignments[i][0])
        if outputs[i]:
            sentence["greedy_ids"], sentence["greedy_log_probabilities"] = outputs[i]
        if outputs[i] and int8_outputs[i] and outputs[i][0] == int8_outputs[i][0]:
            sentence["int8_log_probabilities"] = int8_outputs[i][1]
        if beam_outputs[i]:
            sentence["beam_ids"], sentence["beam_log_probabilities"] = beam_outputs[i]
        sentences.append(sentence)
    version = next(line for line in bytes(np.load(model)["special:model.yml"]).decode().split("\n") if "version" in line)
    golden = {"made_by": "Marian " + version.split(": ")[1].strip(" \0"), "beam_size": BEAM_SIZE,
              "sentences": sentences}
    with open(folder + "/golden_marian.json", "w", encoding="utf-8") as file:
        # One line per sentence.
        text = json.dumps(golden, ensure_ascii=False)
        file.write(text.replace('{"source":', '\n{"source":') + "\n")
    print(os.path.basename(folder), sum(output is not None for output in outputs), "outputs")


def fresh(name):
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


NARROW = ("--dim-emb", 16, "--transformer-heads", 2, "--transformer-dim-ffn", 24)
SMALL = (*NARROW, "--enc-depth", 2, "--dec-depth", 2)


def main():
    sources, targets = corpus(400, seed=1)

    folder = fresh("post_norm")
    train_spm(folder + "/vocab.spm", sources + targets, 64)
    joint = SentencePieceSide(folder + "/vocab.spm")
    train(folder + "/model.npz", joint, joint, *SMALL, "--tied-embeddings-all")
    write_golden(folder, folder + "/model.npz", joint, joint)

    float_folder = fresh("float32_bin")
    shutil.copy(folder + "/vocab.spm", float_folder)
    marian("convert", "--from", folder + "/model.npz", "--to", float_folder + "/model.bin", "--gemm-type", "float32")
    write_golden(float_folder, folder + "/model.npz", joint, joint)

    folder = fresh("opus_mt")
    train_spm(folder + "/source.spm", sources, 40)
    train_spm(folder + "/target.spm", targets, 40)
    vocabulary = folder + "/opus.spm32k-spm32k.vocab.yml"
    ids = write_vocab_yml(vocabulary, [folder + "/source.spm", folder + "/target.spm"])
    source = YamlSide(vocabulary, folder + "/source.spm", ids)
    target = YamlSide(vocabulary, folder + "/target.spm", ids)
    model = "opus.spm32k-spm32k.transformer-align.model1.npz.best-perplexity.npz"
    train(f"{folder}/{model}", source, target, *SMALL, "--tied-embeddings-all", "--transformer-ffn-activation", "relu",
          "--transformer-guided-alignment-layer", 1)
    write_lines(folder + "/decoder.yml", ["relative-paths: true", "models:", "  - " + model, "vocabs:",
                                          "  - opus.spm32k-spm32k.vocab.yml", "  - opus.spm32k-spm32k.vocab.yml",
                                          "beam-size: 6", "normalize: 1"])
    write_golden(folder, f"{folder}/{model}", source, target)

    folder = fresh("pre_norm")
    train_spm(folder + "/srcvocab.spm", sources, 40)
    train_spm(folder + "/trgvocab.spm", targets, 36)
    source, target = SentencePieceSide(folder + "/srcvocab.spm"), SentencePieceSide(folder + "/trgvocab.spm")
    train(folder + "/model.npz", source, target, *NARROW, "--enc-depth", 1, "--dec-depth", 3,
          "--transformer-preprocess", "n", "--transformer-postprocess", "da", "--transformer-postprocess-top", "n",
          "--transformer-postprocess-emb", "nd", "--transformer-decoder-dim-ffn", 40, "--transformer-ffn-activation",
          "gelu", "--transformer-guided-alignment-layer", 2)
    # Marian's decoder caches the keys and values of earlier tokens without norming their input, and so differs from the
    # scorer and from training. Only the scorer gives golden values here.
    write_golden(folder, folder + "/model.npz", source, target, decodes=False)

    # Marian 1.12 ignores --transformer-train-position-embeddings (it reads another name), and so must Limpid.
    folder = fresh("source_tied")
    shutil.copy(joint.path, folder)
    train(folder + "/model.npz", joint, joint, *SMALL, "--tied-embeddings-src", "--output-omit-bias",
          "--transformer-train-position-embeddings")
    write_golden(folder, folder + "/model.npz", joint, joint)

    folder = fresh("ssru")
    shutil.copy(joint.path, folder)
    train(folder + "/model.npz", joint, joint, *SMALL, "--tied-embeddings-all", "--transformer-decoder-autoreg", "rnn",
          "--dec-cell", "ssru", "--transformer-rnn-projection", "--transformer-preprocess", "n",
          "--transformer-postprocess", "da", "--transformer-postprocess-top", "n", "--transformer-tied-layers", 1, 1)
    write_golden(folder, folder + "/model.npz", joint, joint)

    folder = fresh("ssru_int8")
    shutil.copy(joint.path, folder)
    with tempfile.TemporaryDirectory() as scratch:
        train(scratch + "/model.npz", joint, joint, "--dim-emb", 64, "--transformer-dim-ffn", 64, "--enc-depth", 1,
              "--dec-depth", 2, "--tied-embeddings-all", "--transformer-decoder-autoreg", "rnn", "--dec-cell", "ssru",
              "--transformer-ffn-activation", "relu", "--transformer-heads", 8)
        bin_path = folder + "/model.intgemm8.bin"
        marian("convert", "--from", scratch + "/model.npz", "--to", bin_path, "--gemm-type", "intgemm8")
        write_npz(scratch + "/dequantized.npz", dequantized(read_bin(bin_path)))
        write_golden(folder, scratch + "/dequantized.npz", joint, joint, int8_model=bin_path)

    bergamot = fresh("bergamot")
    pad_spm(joint.path, bergamot + "/vocab.ende.spm")
    tensors = as_bergamot_has_it(read_bin(bin_path))
    write_bin(bergamot + "/model.ende.intgemm.alphas.bin", tensors)
    with tempfile.TemporaryDirectory() as scratch:
        write_npz(scratch + "/dequantized.npz", dequantized(tensors))
        write_golden(bergamot, scratch + "/dequantized.npz", joint, joint)
        pieces = [joint.processor.id_to_piece(i) for i in range(2, joint.processor.vocab_size())]
        rng = random.Random(3)
        write_lines(scratch + "/lex", [f"{rng.choice(pieces)} {piece} {rng.random():.3f}" for piece in pieces
                                       for _ in range(rng.randint(0, 5))])
        marian("convert", "--shortlist", scratch + "/lex", 10, 4, 0, "--dump-shortlist",
               bergamot + "/lex.10.4.ende.s2t.bin", "--vocabs", joint.path, joint.path)


if __name__ == "__main__":
    main()
