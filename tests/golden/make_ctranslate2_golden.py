"""Makes small CTranslate2 models and CTranslate2's results with them.

    pip install ctranslate2 torch transformers sentencepiece
    python tests/golden/make_ctranslate2_golden.py

writes tests/golden/ctranslate2/NAME: a model by CTranslate2's own converter or specifications, and
golden.json. The package writes only the newest format; this script writes older ones from the same
variables. CTranslate2 loads them, which shows that their layout is right.
"""

import json
import math
import os
import re
import shutil
import struct
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import ctranslate2
import numpy as np
from ctranslate2.converters import TransformersConverter
from ctranslate2.specs import TransformerSpec, common_spec

HERE = Path(__file__).resolve().parent
OUT = HERE / "ctranslate2"
LIMIT = 8
BEAM = 4
# As in make_golden.py: greedy output that is varied and never close.
SMALLEST_MARGIN = 1e-3
ENOUGH_WORDS = 10

DIM, FFN = 16, 24
ACTIVATION = common_spec.Activation

# How each hand-made model differs: `spec` has arguments of TransformerSpec.from_config, `config`
# keys of config.json, `pieces` the vocabulary besides special tokens. `version` and `revision` are
# those of an old file.
MODELS = {
    # Like OpenNMT-py's: no </s> after sources, the decoder starts from <s>.
    "opennmt": dict(spec=dict(pre_norm=True, activation=ACTIVATION.RELU), separate=True, layers=(2, 1)),
    # Like fairseq's.
    "learned_positions": dict(
        spec=dict(pre_norm=False, activation=ACTIVATION.GELU, layernorm_embedding=True),
        config=dict(
            add_source_eos=True, decoder_start_token="</s>", layer_norm_epsilon=1e-3
        ),
        positions="learned",
        scale=3.0,
        tied=True,
    ),
    # As if trained on sources between <s> and </s>.
    "source_bos": dict(config=dict(add_source_bos=True, add_source_eos=True)),
    "int8": dict(spec=dict(activation=ACTIVATION.GELUTanh), quantization="int8", tied=True),
    "int16": dict(spec=dict(activation=ACTIVATION.SWISH), quantization="int16", bias=False),
    "float16": dict(
        spec=dict(
            pre_norm=False, activation=ACTIVATION.GELUSigmoid, alignment_layer=0, alignment_heads=2
        ),
        quantization="float16",
        scale=False,
    ),
    "bfloat16": dict(
        spec=dict(alignment_layer=-2, alignment_heads=0, activation=ACTIVATION.GELU),
        quantization="bfloat16",
        positions="fairseq",
        layers=(1, 2),
    ),
    "version_5": dict(
        version=5,
        revision=5,
        positions="fairseq",
        config=dict(
            unk_token="[unk]", bos_token="[bos]", eos_token="[eos]", add_source_eos=True
        ),
    ),
    "version_4": dict(version=4, revision=4, quantization="int8", layers=(1, 2), separate=True),
    "version_3": dict(version=3, revision=3, quantization="int16", heads=4, tied=True),
    # Older than specifications: OpenNMT-tf's names, and 8 heads. The vocabulary has no "<unk>";
    # CTranslate2 adds it.
    "version_1": dict(
        version=1,
        revision=1,
        heads=8,
        layers=(2, 1),
        separate=True,
        implicit_unk=True,
    ),
    "version_2_without_unk": dict(
        version=2,
        revision=2,
        name="TransformerBase",
        heads=8,
        implicit_unk=True,
    ),
    "json_without_unk": dict(separate=True, implicit_unk=True),
    # Without aliases, scales and heads: int16 is scaled by 1000, TransformerBase has 8 heads.
    "version_2": dict(
        version=2,
        revision=2,
        name="TransformerBase",
        quantization="int16 times 1000",
        heads=8,
        tied=True,
        config=dict(add_source_eos=True),
    ),
}


def random_spec(options, seed):
    random = np.random.default_rng(seed)
    layers, heads = options.get("layers", (1, 1)), options.get("heads", 2)
    spec = TransformerSpec.from_config(layers, heads, **options.get("spec", {}))
    config = dict(add_source_eos=False) | options.get("config", {})
    for key, value in config.items():
        setattr(spec.config, key, value)
    c = spec.config
    special = [c.unk_token, c.bos_token, c.eos_token]
    source = options.get("pieces", [f"s{i}" for i in range(20)])
    target = [f"t{i}" for i in range(24)] if options.get("separate") else source
    if options.get("implicit_unk"):  # CTranslate2 appends it
        source, target = (["<blank>", *special[1:], *pieces, special[0]] for pieces in (source, target))
    else:
        source, target = special + source, special + target
    spec.register_source_vocabulary(source)
    spec.register_target_vocabulary(target)

    def normal(*shape, std=0.1):
        return (std * random.standard_normal(shape)).astype(np.float32)

    def linear(to, rows, columns, gain=1.4):
        to.weight = normal(rows, columns, std=gain * columns**-0.5)
        if options.get("bias", True):
            to.bias = normal(rows)

    def norm(to):
        to.gamma = normal(DIM) + random.choice([-1, 1], DIM).astype(np.float32)
        to.beta = normal(DIM)

    def stack(to, size):
        embeddings = to.embeddings[0] if isinstance(to.embeddings, list) else to.embeddings
        embeddings.weight = normal(size, DIM, std=2.0 * DIM**-0.5)
        to.scale_embeddings = options.get("scale", True)
        if kind := options.get("positions"):
            to.position_encodings.encodings = (
                normal(30, DIM, std=1.0) if kind == "learned" else marian_sinusoids(30, first=2)
            )
        for name in ("layer_norm", "layernorm_embedding"):
            if hasattr(to, name):
                norm(getattr(to, name))
        for layer in to.layer:
            attention = layer.self_attention
            linear(attention.linear[0], 3 * DIM, DIM, gain=2.0)
            linear(attention.linear[1], DIM, DIM)
            norm(attention.layer_norm)
            if hasattr(layer, "attention"):
                linear(layer.attention.linear[0], DIM, DIM, gain=2.0)
                linear(layer.attention.linear[1], 2 * DIM, DIM, gain=2.0)
                linear(layer.attention.linear[2], DIM, DIM)
                norm(layer.attention.layer_norm)
            linear(layer.ffn.linear_0, FFN, DIM)
            linear(layer.ffn.linear_1, DIM, FFN)
            norm(layer.ffn.layer_norm)
        return embeddings

    encoder = stack(spec.encoder, len(source))
    decoder = stack(spec.decoder, len(target))
    linear(spec.decoder.projection, len(target), DIM, gain=2.0)
    if options.get("tied"):
        encoder.weight = spec.decoder.projection.weight = decoder.weight
    return spec, source, target


def marian_sinusoids(length, first):
    """fairseq's positions without the rows of padding."""
    frequency = np.exp(np.arange(DIM // 2) * -(math.log(10000) / (DIM // 2 - 1)))
    angle = (first + np.arange(length))[:, None] * frequency
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


def write_model(options, seed, folder):
    """Returns the vocabularies."""
    spec, source, target = random_spec(options, seed)
    spec.validate()
    quantization = options.get("quantization")
    if quantization == "int16 times 1000":
        quantization = None
    spec.optimize(quantization=quantization)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    if options.get("implicit_unk"):
        for path in folder.glob("*_vocabulary.json"):
            path.write_text(json.dumps(json.loads(path.read_text())[:-1], indent=1))
    if "version" in options:
        write_old_version(options, spec, folder)
    return source, target


def write_old_version(options, spec, folder):
    """Rewrites model.bin as an older CTranslate2 did."""
    version, revision = options["version"], options["revision"]
    variables, aliases = {}, {}
    for name, value in spec.variables(ordered=True):
        if isinstance(value, str):
            aliases[name] = value
        else:
            variables[name] = value.numpy()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").unlink()
    if version < 6:  # special tokens are variables
        variables["with_source_eos"] = np.int8(config["add_source_eos"])
        variables["with_target_bos"] = np.int8(1)
        for key in ("unk_token", "bos_token", "eos_token"):
            if config[key] != {"unk": "<unk>", "bos": "<s>", "eos": "</s>"}[key[:3]]:
                variables[key] = np.frombuffer(config[key].encode(), dtype=np.int8)
    if revision < 5:
        for name in list(variables):
            side, _, scalar = name.partition("/")
            if scalar in ("num_heads", "pre_norm", "activation", "alignment_layer",
                          "alignment_heads", "embeddings_merge"):
                variables[scalar] = variables.pop(name)
        # Older files lack the options that came later.
        for name in list(variables):
            if variables[name].ndim == 0 and name.split("/")[-1] in (
                    "alibi", "scale_alibi", "alibi_use_positive_positions", "multi_query_attention",
                    "start_from_zero_embedding", "scale_embeddings", "embeddings_merge"):
                del variables[name]
        new_name = rename_to_tf if revision == 1 else rename
        variables = {new_name(name): value for name, value in variables.items()}
        aliases = {new_name(alias): new_name(name) for alias, name in aliases.items()}
        if revision < 3:
            del variables[rename_to_tf("num_heads") if revision == 1 else "num_heads"]
    if version < 3:
        variables |= {alias: variables[name] for alias, name in aliases.items()}
    if options.get("quantization") == "int16 times 1000":
        for name, value in variables.items():
            if name.endswith("weight"):
                variables[name] = np.rint(value * 1000).astype(np.int16)
    name = options.get("name", "TransformerSpec")
    write_binary(folder / "model.bin", version, name, revision, variables, aliases)
    if version < 5:  # one token per line
        for path in list(folder.glob("*_vocabulary.json")):
            lines = "".join(token + "\n" for token in json.loads(path.read_text()))
            path.with_suffix(".txt").write_text(lines, encoding="utf-8")
            path.unlink()


def rename(name):
    return name.replace("encoder/embeddings_0/", "encoder/embeddings/")


def rename_to_tf(name):
    """OpenNMT-tf's names, as in version 1: the reverse of CTranslate2's map_v1_variable_name."""
    name = rename(name)
    if "/" not in name:
        return name
    name = name.replace("embeddings/weight", "w_embs").replace("projection/", "dense/")
    name = re.sub(r"/linear_0/", "/conv1d/", name)
    name = re.sub(r"/linear_(\d)/", r"/conv1d_\1/", name)
    if name.startswith("encoder"):
        name = name.replace("self_attention", "multi_head")
    else:
        name = name.replace("/attention/", "/multi_head/").replace("self_attention", "masked_multi_head")
    name = name.replace("layer_norm/", "LayerNorm/").replace("/weight", "/kernel")
    return f"transformer/{name}:0"


def write_binary(path, version, name, revision, variables, aliases):
    def string(text):
        return struct.pack("<H", len(text.encode()) + 1) + text.encode() + b"\0"

    out = struct.pack("<I", version)
    if version >= 2:
        out += string(name) + struct.pack("<I", revision)
    out += struct.pack("<I", len(variables))
    for each, value in sorted(variables.items()):
        out += string(each) + struct.pack("<B", value.ndim)
        out += struct.pack(f"<{value.ndim}I", *value.shape)
        if version >= 4:
            types = ("float32", "int8", "int16", "int32", "float16")
            out += struct.pack("<BI", types.index(value.dtype.name), value.nbytes)
        else:
            out += struct.pack("<BI", value.itemsize, value.size)
        out += value.tobytes()
    if version >= 3:
        out += struct.pack("<I", len(aliases))
        for alias, target in sorted(aliases.items()):
            out += string(alias) + string(target)
    path.write_bytes(out)


def beam_tokens(model, source):
    """With this patience CTranslate2 does not stop before it finds the best; see tests/README.md on beam search."""
    return model.translate_batch([source], beam_size=BEAM, patience=16, length_penalty=1, max_decoding_length=LIMIT,
                                 min_decoding_length=0, return_end_token=True)[0].hypotheses[0]


def golden_sentence(model, source, target_vocabulary):
    """`source`: the tokens given to CTranslate2."""
    result = model.translate_batch(
        [source], beam_size=1, min_decoding_length=0, max_decoding_length=LIMIT,
        return_scores=True, return_logits_vocab=True, return_end_token=True,
    )[0]
    tokens, end = result.hypotheses[0], target_vocabulary["eos"]
    finished = tokens[-1] == end
    scored = model.score_batch([source], [tokens[:-1] if finished else tokens])[0]
    logits = np.array([np.array(step.to(ctranslate2.DataType.float32)).reshape(-1)
                       for step in result.logits[0]])[: len(tokens)]
    ids = {token: i for i, token in enumerate(target_vocabulary["tokens"])}
    best = np.sort(logits, axis=1)
    return dict(
        source=source,
        output_ids=[ids[token] for token in tokens],
        beam_ids=[ids[token] for token in beam_tokens(model, source)],
        log_probabilities=[float(f"{x:.7g}") for x in scored.log_probs[: len(tokens)]],
        smallest_margin=float((best[:, -1] - best[:, -2]).min()),
        logits=[[float(f"{x:.7g}") for x in row] for row in logits],
    )


def golden_data(folder, sources, target, eos):
    model = ctranslate2.Translator(str(folder), compute_type="float32", intra_threads=1)
    vocabulary = dict(tokens=target, eos=eos)
    return [golden_sentence(model, source, vocabulary) for source in sources]


def write_golden(folder, sentences):
    lines = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in sentences)
    text = f'{{\n "software": {{"ctranslate2": "{ctranslate2.__version__}"}},\n'
    text += f' "max_output_tokens": {LIMIT}, "beam_size": {BEAM},\n "sentences": [\n{lines}\n ]\n}}\n'
    (folder / "golden.json").write_text(text, encoding="utf-8")
    words = sum(len(set(each["output_ids"])) for each in sentences)
    margin = min(each["smallest_margin"] for each in sentences)
    print(f"{folder.name}: {words} words, smallest margin {margin:.1e}")


def write_hand_made(name, options):
    folder = OUT / name
    for seed in range(200):
        source, target = write_model(options, seed, folder)
        sources = [source[3:9], [source[12]], source[10:20] + ["never seen"]]
        sentences = golden_data(folder, sources, target, source[2])
        words = sum(len(set(each["output_ids"])) for each in sentences)
        margin = min(each["smallest_margin"] for each in sentences)
        if words >= ENOUGH_WORDS and margin >= SMALLEST_MARGIN:
            return write_golden(folder, sentences)
    raise ValueError(f"no seed gives {name!r} varied output without close calls")


def write_converted():
    """transformers' MarianMT, by CTranslate2's converter; the tokenizer adds </s>."""
    folder = OUT / "marian"
    shutil.rmtree(folder, ignore_errors=True)
    converter = TransformersConverter(str(HERE / "base"), copy_files=["source.spm", "target.spm"])
    converter.convert(str(folder))
    target = json.loads((folder / "shared_vocabulary.json").read_text())
    sources = [["▁I", "▁", "a", "m", "</s>"], ["▁To", "m", ".", "</s>"], ["▁w", "e", "</s>"]]
    write_golden(folder, golden_data(folder, sources, target, "</s>"))


def main():
    """Makes the models named on the command line, or all."""
    names = sys.argv[1:] or ["marian", *MODELS]
    if "marian" in names:
        write_converted()
    for name, options in MODELS.items():
        if name in names:
            write_hand_made(name, options)


if __name__ == "__main__":
    main()
