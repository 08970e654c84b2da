"""Write a trained model in the layout of MarianMTModel.save_pretrained and MarianTokenizer."""

import json
import shutil

from safetensors.torch import save

from corpus import LONGEST
from loss import INPUT_HEAD
from model import UNK


def export(model, sp, spm_file, languages, aligned, out):
    """`aligned`: whether two cross-attention heads were trained to align words, see train.py."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().cpu().contiguous() for name, t in marian_tensors(model).items()}
    weights = save(tensors, metadata={"format": "pt"})
    (out / "model.safetensors").write_bytes(weights)
    vocab = {sp.id_to_piece(i): i for i in range(sp.get_piece_size())}
    vocab["<pad>"] = model.pad
    write_json(out / "vocab.json", vocab)
    write_json(out / "config.json", marian_config(model.shape, aligned))
    write_json(out / "tokenizer_config.json", tokenizer_config(languages))
    for side in ("source", "target"):
        shutil.copyfile(spm_file, out / f"{side}.spm")


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def marian_tensors(model):
    tensors = {
        "final_logits_bias": model.bias.detach()[None],
        "model.shared.weight": model.shared.weight.detach(),
    }
    for side in ("encoder", "decoder"):
        for name, value in getattr(model, side).state_dict().items():
            tensors[f"model.{side}.layers.{name}"] = value
    return tensors


def marian_config(shape, aligned):
    pad = shape.vocab - 1
    config = dict(
        architectures=["MarianMTModel"],
        model_type="marian",
        vocab_size=shape.vocab,
        decoder_vocab_size=shape.vocab,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
        d_model=shape.dim,
        activation_function="relu",
        scale_embedding=True,
        normalize_before=False,
        normalize_embedding=False,
        add_final_layer_norm=False,
        static_position_embeddings=True,
        max_position_embeddings=shape.positions,
        is_encoder_decoder=True,
        bos_token_id=0,
        eos_token_id=0,
        forced_eos_token_id=0,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        bad_words_ids=[[UNK], [pad]],  # bytes stand for unknown characters
        num_beams=1,
        max_length=shape.positions,
    )
    for side, layers in (("encoder", shape.enc), ("decoder", shape.dec)):
        config[f"{side}_layers"] = layers
        config[f"{side}_attention_heads"] = shape.heads
        config[f"{side}_ffn_dim"] = shape.ffn
    if aligned:
        config.update(alignment_layer=shape.dec - 1, alignment_heads=1)
        config.update(alignment_input_layer=0, alignment_input_head=INPUT_HEAD)
    return config


def tokenizer_config(languages):
    source, target = languages
    return dict(
        source_lang=source,
        target_lang=target,
        tokenizer_class="MarianTokenizer",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=LONGEST + 1,  # </s>
        separate_vocabs=False,
    )
