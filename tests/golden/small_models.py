"""Small random models in the Hugging Face MarianMT layout: one for each option of a model."""

import io
import json

import sentencepiece
import torch
from safetensors.torch import save

from plain_transformer import sinusoids

EOS, UNK = 0, 1
BASE = dict(
    architectures=["MarianMTModel"],
    model_type="marian",
    d_model=16,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=24,
    decoder_ffn_dim=24,
    activation_function="relu",
    scale_embedding=True,
    normalize_before=False,
    normalize_embedding=False,
    add_final_layer_norm=False,
    static_position_embeddings=True,
    share_encoder_decoder_embeddings=True,
    tie_word_embeddings=True,
    max_position_embeddings=64,
    eos_token_id=EOS,
    forced_eos_token_id=EOS,
    num_beams=1,
    max_length=64,
    dropout=0.0,
)
ONE_LAYER = dict(encoder_layers=1, decoder_layers=1)

# How each model differs from BASE. Keys that start with "_" are for this script only.
MODELS = {
    "base": {},
    "swish": dict(ONE_LAYER, activation_function="swish"),
    "gelu": dict(ONE_LAYER, activation_function="gelu"),
    "one_head": dict(ONE_LAYER, d_model=24, encoder_attention_heads=1, decoder_attention_heads=1),
    "head_dim_5": dict(ONE_LAYER, d_model=20, encoder_attention_heads=4, decoder_attention_heads=4),
    "head_dim_10": dict(ONE_LAYER, d_model=20, encoder_ffn_dim=30, decoder_ffn_dim=30),
    "asymmetric": dict(
        encoder_layers=3,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=2,
        encoder_ffn_dim=20,
        decoder_ffn_dim=36,
    ),
    "unscaled_embedding": dict(ONE_LAYER, scale_embedding=False),
    "separate_vocabularies": dict(ONE_LAYER, share_encoder_decoder_embeddings=False),
    "untied_output": dict(
        ONE_LAYER, share_encoder_decoder_embeddings=False, tie_word_embeddings=False
    ),
    # Padding and "▁" would often win if they were allowed.
    "bad_words": dict(ONE_LAYER, _bad_pieces=["▁"], _bad_piece_bias=4.0),
    "float16": dict(ONE_LAYER, _dtype=torch.float16),
    "bfloat16": dict(ONE_LAYER, _dtype=torch.bfloat16),
    # Like older files, with stored sinusoidal positions.
    "stored_positions": dict(ONE_LAYER, _stored_positions=True),
    # Written by transformers 5: bad_words_ids moves to generation_config.json.
    "saved_by_transformers": dict(ONE_LAYER, _saved_by_transformers=True),
    # Like older folders, with pytorch_model.bin.
    "pytorch_zip": dict(ONE_LAYER, _torch_save=True),
    "pytorch_float16": dict(ONE_LAYER, _torch_save=True, _dtype=torch.float16),
    # transformers ignores these options: plain_transformer.py makes the golden outputs.
    "pre_norm": dict(normalize_before=True, add_final_layer_norm=True),
    "pre_norm_without_final_norm": dict(ONE_LAYER, normalize_before=True, scale_embedding=False),
    "post_norm_with_final_norm": dict(ONE_LAYER, add_final_layer_norm=True),
    "embedding_norm": dict(ONE_LAYER, normalize_embedding=True),
}


def transformers_ignores(config):
    return any(
        config[key] for key in ("normalize_before", "normalize_embedding", "add_final_layer_norm")
    )


def write_config_and_tokenizer(name, folder, english, german):
    """For the model `name` of MODELS; `english` and `german` are lists of sentences."""
    folder.mkdir(parents=True, exist_ok=True)
    options = MODELS[name]
    separate = not options.get("share_encoder_decoder_embeddings", True)
    if separate:
        sides = train_sentencepiece(english, 100), train_sentencepiece(german, 110)
    else:
        sides = (train_sentencepiece(english + german, 120),) * 2
    vocabularies = write_tokenizer(folder, sides, separate)

    pad = vocabularies[0]["<pad>"]
    bad_ids = [pad] + [vocabularies[1][piece] for piece in options.get("_bad_pieces", [])]
    config = dict(BASE, vocab_size=len(vocabularies[0]), decoder_vocab_size=len(vocabularies[1]))
    config.update(
        pad_token_id=pad, decoder_start_token_id=pad, bad_words_ids=[[i] for i in bad_ids]
    )
    config.update((key, value) for key, value in options.items() if not key.startswith("_"))
    write_json(folder / "config.json", config)


def write_weights(name, folder, seed):
    config = json.loads((folder / "config.json").read_text())
    tensors = random_tensors(config, torch.Generator().manual_seed(seed))
    if bias := MODELS[name].get("_bad_piece_bias"):
        tensors["final_logits_bias"][0, config["bad_words_ids"]] = bias
    if MODELS[name].get("_stored_positions"):
        for side in ("encoder", "decoder"):
            positions = sinusoids(config["max_position_embeddings"], config["d_model"])
            tensors[f"model.{side}.embed_positions.weight"] = positions
    dtype = MODELS[name].get("_dtype", torch.float32)
    tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    if MODELS[name].get("_torch_save"):
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        (folder / "model.safetensors").write_bytes(save(tensors))


def train_sentencepiece(sentences, vocab_size):
    """A serialized model. It does not normalize text: the tables for that would fill 240 KB."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=vocab_size,
        normalization_rule_name="identity",
        character_coverage=1.0,
        eos_id=EOS,
        unk_id=UNK,
        bos_id=-1,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def write_tokenizer(folder, sides, separate):
    """Writes what MarianTokenizer reads. Returns the source and target vocabulary."""
    for side, model in zip(("source", "target"), sides):
        (folder / f"{side}.spm").write_bytes(model)
    vocabularies = [vocabulary(model) for model in sides]
    # Both sides use one id for padding, as published models do.
    pad = min(map(len, vocabularies))
    for each in vocabularies:
        for piece, i in each.items():
            each[piece] = i + (i >= pad)
        each["<pad>"] = pad
    write_json(folder / "vocab.json", vocabularies[0])
    if separate:
        write_json(folder / "target_vocab.json", vocabularies[1])
    write_json(
        folder / "tokenizer_config.json",
        dict(
            source_lang="eng",
            target_lang="deu",
            tokenizer_class="MarianTokenizer",
            eos_token="</s>",
            unk_token="<unk>",
            pad_token="<pad>",
            model_max_length=64,
            separate_vocabs=separate,
        ),
    )
    return vocabularies


def vocabulary(model):
    """Piece to id, not in SentencePiece's own order, as in published models."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    return {piece: i for i, piece in enumerate(pieces[:2] + sorted(pieces[2:]))}


def write_json(path, value):
    """One key per line, and in lists of objects one object per line."""
    lines = []
    for key, item in value.items():
        text = json.dumps(item, ensure_ascii=False)
        if isinstance(item, list) and item and isinstance(item[0], dict):
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in item)
            text = f"[\n{rows}\n ]"
        lines.append(f" {json.dumps(key, ensure_ascii=False)}: {text}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def random_tensors(config, generator):
    """Weights large enough that attention is far from uniform and logits are spread. All biases and
    norm parameters differ, to catch a reader that mixes them up."""
    dim = config["d_model"]
    tensors = {}

    def normal(name, *shape, std=0.1):
        tensors[name] = std * torch.randn(*shape, generator=generator)

    def norm(name):
        normal(f"{name}.weight", dim)
        # The signs keep a tied output from predicting the input token.
        signs = torch.randint(0, 2, (dim,), generator=generator) * 2 - 1
        tensors[f"{name}.weight"] += signs
        normal(f"{name}.bias", dim)

    def linear(name, rows, columns, gain):
        normal(f"{name}.weight", rows, columns, std=gain * columns**-0.5)
        normal(f"{name}.bias", rows)

    def attention(name):
        for projection, gain in (("q", 2.0), ("k", 2.0), ("v", 1.4), ("out", 1.0)):
            linear(f"{name}.{projection}_proj", dim, dim, gain)
        norm(f"{name}_layer_norm")

    for side in ("encoder", "decoder"):
        for i in range(config[f"{side}_layers"]):
            layer, ffn = f"model.{side}.layers.{i}", config[f"{side}_ffn_dim"]
            attention(f"{layer}.self_attn")
            if side == "decoder":
                attention(f"{layer}.encoder_attn")
            linear(f"{layer}.fc1", ffn, dim, gain=1.4)
            linear(f"{layer}.fc2", dim, ffn, gain=1.0)
            norm(f"{layer}.final_layer_norm")
        if config["normalize_embedding"]:
            norm(f"model.{side}.layernorm_embedding")
        if config["add_final_layer_norm"]:
            norm(f"model.{side}.layer_norm")
    add_vocabulary_tensors(config, normal, tensors)
    return tensors


def add_vocabulary_tensors(config, normal, tensors):
    dim, target = config["d_model"], config["decoder_vocab_size"]
    std = 2.0 * dim**-0.5
    if config["share_encoder_decoder_embeddings"]:
        embeddings = ["model.shared.weight"]
        normal(embeddings[0], target, dim, std=std)
    else:
        embeddings = [f"model.{side}.embed_tokens.weight" for side in ("encoder", "decoder")]
        normal(embeddings[0], config["vocab_size"], dim, std=std)
        normal(embeddings[1], target, dim, std=std)
    for name in embeddings:
        tensors[name][config["pad_token_id"]] = 0
    if not config["tie_word_embeddings"]:
        normal("lm_head.weight", target, dim, std=std)
    normal("final_logits_bias", 1, target, std=0.3)
