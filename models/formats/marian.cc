// Marian's own models, as OPUS-MT and Bergamot (Firefox) publish them: a .npz or .bin file with the
// weights and, in "special:model.yml", the training options. Their meaning is that of
// Marian's src/models/transformer.h.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/formats/formats.h"
#include "models/formats/marian_file.h"
#include "models/formats/marian_vocabulary.h"
#include "models/formats/tensor_names.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/yaml.h"
#include "models/io/zip.h"
#include "models/model/checkpoint.h"
#include "models/model/weights.h"
#include "models/native/shortlist.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// --- Options ---

// Marian's options by name; missing ones have Marian's default. The first error stays in `status`.
class Options {
 public:
  explicit Options(YamlMapping mapping) : mapping_(std::move(mapping)) {}

  std::string Text(const char* key, const char* otherwise) {
    const auto value = mapping_.find(key);
    if (value == mapping_.end()) return otherwise;
    if (!value->second.is_list) return value->second.items[0];
    Fail(absl::StrCat(Quoted(key), ": expected a single value, found a list"));
    return otherwise;
  }
  bool Bool(const char* key) {
    const std::string text = Text(key, "false");
    if (text != "true" && text != "false") {
      Fail(absl::StrCat(Quoted(key), ": expected true or false, found ", Quoted(text)));
    }
    return text == "true";
  }
  int Int(const char* key, const char* otherwise) {
    const std::string text = Text(key, otherwise);
    int value = 0;
    if (!absl::SimpleAtoi(text, &value)) {
      Fail(absl::StrCat(Quoted(key), ": expected a whole number, found ", Quoted(text)));
    }
    return value;
  }
  std::vector<std::string> List(const char* key) {
    const auto value = mapping_.find(key);
    return value == mapping_.end() ? std::vector<std::string>() : value->second.items;
  }
  // Operations around a layer, without dropout, which only matters in training.
  std::string Operations(const char* key, const char* otherwise) {
    std::string operations = Text(key, otherwise);
    std::erase(operations, 'd');
    return operations;
  }

  // Refuses values that the engine does not support.
  void Require(const char* key, const std::string& found,
               std::initializer_list<std::string_view> supported) {
    if (std::find(supported.begin(), supported.end(), found) != supported.end()) return;
    const auto quoted = [](std::string* out, std::string_view value) {
      absl::StrAppend(out, Quoted(std::string(value)));
    };
    Fail(absl::StrCat(Quoted(key), ": Limpid can do ", absl::StrJoin(supported, ", ", quoted),
                      ", found ", Quoted(found)));
  }

  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(absl::StrCat("option ", message));
  }

  absl::Status status;

 private:
  YamlMapping mapping_;
};

// Refuses options that change the computation and are not read below.
void RequireWhatTheEngineCanDo(Options& options) {
  struct Requirement {
    const char* key;
    const char* otherwise;
    std::initializer_list<std::string_view> supported;
  };
  static const Requirement requirements[] = {
      {"type", "", {"transformer"}},
      {"right-left", "false", {"false"}},
      {"ulr", "false", {"false"}},
      {"lemma-dim-emb", "0", {"0"}},
      {"lemma-dependency", "", {""}},
      {"factors-dim-emb", "0", {"0"}},
      {"input-join-fields", "false", {"false"}},
      {"transformer-no-projection", "false", {"false"}},
      {"transformer-no-bias", "false", {"false"}},
      {"transformer-no-affine", "false", {"false"}},
      {"transformer-pool", "false", {"false"}},
      {"transformer-alibi-shift", "false", {"false"}},
      {"transformer-attention-mask", "default", {"default"}},
      {"transformer-disable-position-embeddings", "false", {"false"}},
      {"transformer-ffn-depth", "2", {"2"}},
      {"transformer-decoder-ffn-depth", "0", {"0", "2"}},
      {"transformer-decoder-autoreg", "self-attention", {"self-attention", "rnn"}},
  };
  for (const auto& [key, otherwise, supported] : requirements) {
    options.Require(key, options.Text(key, otherwise), supported);
  }
  for (const std::string& type : options.List("input-types")) {
    options.Require("input-types", type, {"sequence"});
  }
  if (options.List("dim-vocabs").size() > 2) {
    options.Fail("\"dim-vocabs\": Limpid can do one source and one target, found more sides");
  }
}

void ReadNorms(Options& options, ModelConfig& config) {
  const std::string before = options.Operations("transformer-preprocess", "");
  const std::string after = options.Operations("transformer-postprocess", "dan");
  const std::string both = absl::StrCat(before, "|", after);
  options.Require("transformer-preprocess|transformer-postprocess", both, {"|an", "n|a"});
  config.norm_order = before == "n" ? NormOrder::kPre : NormOrder::kPost;
  const std::string embedding = options.Operations("transformer-postprocess-emb", "d");
  options.Require("transformer-postprocess-emb", embedding, {"", "n"});
  config.embedding_norm = embedding == "n";
  const std::string top = options.Operations("transformer-postprocess-top", "");
  options.Require("transformer-postprocess-top", top, {"", "n"});
  config.final_norm = top == "n";
  config.layer_norm_epsilon = 1e-6F;
}

void ReadActivation(Options& options, ModelConfig& config) {
  const std::string activation = options.Text("transformer-ffn-activation", "swish");
  options.Require("transformer-ffn-activation", activation, {"relu", "swish", "gelu"});
  config.activation = activation == "relu"   ? Activation::kRelu
                      : activation == "gelu" ? Activation::kGelu
                                             : Activation::kSwish;
}

void ReadRecurrence(Options& options, const TensorMap& tensors, ModelConfig& config) {
  if (options.Text("transformer-decoder-autoreg", "self-attention") != "rnn") return;
  options.Require("dec-cell", options.Text("dec-cell", "gru"), {"ssru"});
  options.Require("layer-normalization", options.Text("layer-normalization", "false"), {"false"});
  config.decoder_self_attention = tensors.contains("decoder_l1_rnn_Wo")
                                      ? DecoderSelfAttention::kSsruWithOutput
                                      : DecoderSelfAttention::kSsru;
}

// Marian aligns with head 0 of this layer.
void ReadAlignmentHead(Options& options, ModelConfig& config) {
  const std::string layer = options.Text("transformer-guided-alignment-layer", "last");
  config.alignment_layer = layer == "last"
                               ? config.decoder_layers - 1
                               : options.Int("transformer-guided-alignment-layer", "last") - 1;
  config.alignment_heads = 1;
}

// Vocabulary sizes, and which embeddings are shared.
void ReadEmbeddings(Options& options, const TensorMap& tensors, ModelConfig& config) {
  config.shared_embeddings =
      options.Bool("tied-embeddings-all") || options.Bool("tied-embeddings-src");
  config.tied_output = options.Bool("tied-embeddings-all") || options.Bool("tied-embeddings");
  const auto rows = [&](const std::string& name) {
    const auto found = tensors.find(name);
    if (found != tensors.end()) return static_cast<int>(found->second.rows());
    if (options.status.ok()) {
      options.status =
          absl::InvalidArgumentError(absl::StrCat("tensor ", Quoted(name), " is missing"));
    }
    return 0;
  };
  config.source_vocab_size = rows(config.shared_embeddings ? "Wemb" : "encoder_Wemb");
  config.target_vocab_size = rows(config.shared_embeddings ? "Wemb" : "decoder_Wemb");
}

// Marian's sinusoids are unlimited, and its models do not state the length of their training
// sentences. Bergamot cuts sentences after 128 tokens; OPUS-MT's Hugging Face models state 512.
constexpr int kMaxPositions = 1024;
constexpr int kMaxSourceTokens = 512;
constexpr int kMaxSourceTokensOfBergamot = 128;

void ReadPositions(const MarianFile& file, ModelConfig& config) {
  const auto learned = file.tensors.find("Wpos");
  if (learned != file.tensors.end()) {
    // Marian then does not scale embeddings.
    config.positions = Positions::kLearned;
    config.embedding_scale = 1;
    config.max_positions = static_cast<int>(learned->second.rows());
  } else {
    config.positions = Positions::kSinusoidalMarian;
    config.embedding_scale = std::sqrt(static_cast<float>(config.model_dim));
    config.max_positions = kMaxPositions;
  }
  const bool is_int8 = std::any_of(file.tensors.begin(), file.tensors.end(), [](const auto& entry) {
    return entry.second.dtype == DType::kInt8;
  });
  config.max_source_tokens =
      std::min(config.max_positions, is_int8 ? kMaxSourceTokensOfBergamot : kMaxSourceTokens);
}

absl::StatusOr<ModelConfig> ConfigOf(Options& options, const MarianFile& file) {
  RequireWhatTheEngineCanDo(options);
  ModelConfig config;
  config.model_dim = options.Int("dim-emb", "512");
  config.encoder_layers = options.Int("enc-depth", "1");
  config.decoder_layers = options.Int("dec-depth", "1");
  config.encoder_heads = config.decoder_heads = options.Int("transformer-heads", "8");
  config.encoder_ffn_dim = options.Int("transformer-dim-ffn", "2048");
  config.decoder_ffn_dim = options.Int("transformer-decoder-dim-ffn", "0");
  if (config.decoder_ffn_dim == 0) config.decoder_ffn_dim = config.encoder_ffn_dim;
  ReadNorms(options, config);
  ReadActivation(options, config);
  ReadRecurrence(options, file.tensors, config);
  ReadAlignmentHead(options, config);
  ReadEmbeddings(options, file.tensors, config);
  ReadPositions(file, config);
  if (!options.status.ok()) return options.status;
  if (absl::Status status = ValidateConfig(config); !status.ok()) {
    return InContext("in Limpid's terms", status);
  }
  return config;
}

// For each decoder layer, from 1, the layer whose weights it uses.
absl::StatusOr<std::vector<int>> TiedLayers(Options& options, const ModelConfig& config) {
  std::vector<int> layers;
  for (const std::string& text : options.List("transformer-tied-layers")) {
    int layer = 0;
    if (!absl::SimpleAtoi(text, &layer) || layer < 1 || layer > config.decoder_layers) {
      options.Fail(
          absl::StrCat("\"transformer-tied-layers\": expected numbers of layers from 1 to ",
                       config.decoder_layers, ", found ", Quoted(text)));
    }
    layers.push_back(layer);
  }
  if (layers.empty()) {
    for (int layer = 1; layer <= config.decoder_layers; ++layer) layers.push_back(layer);
  }
  if (static_cast<int>(layers.size()) != config.decoder_layers) {
    options.Fail(absl::StrCat("\"transformer-tied-layers\": expected ", config.decoder_layers,
                              " numbers, one a decoder layer, found ", layers.size()));
  }
  if (!options.status.ok()) return options.status;
  return layers;
}

// --- Tensors ---

// clang-format off
constexpr TensorName kTensors[] = {
    {"Wemb",                        "embedding.weight"},
    {"SIDE_Wemb",                   "SIDE.embedding.weight"},
    {"decoder_ff_logit_out_Wt",     "output.weight"},
    {"decoder_ff_logit_out_W",      "output.weight", How::kTransposed},  // in older models
    {"decoder_ff_logit_out_b",      "output.bias", How::kOrZeros},       // --output-omit-bias
    {"Wpos",                        "SIDE.positions.weight"},
    {"SIDE_emb_ln_*_pre",           "SIDE.embedding_norm.*"},
    {"SIDE_top_ln_*",               "SIDE.final_norm.*"},
    {"SIDE_lN_self_*q",             "SIDE.layers.N.self_attention.query.*", How::kTransposed},
    {"SIDE_lN_self_*k",             "SIDE.layers.N.self_attention.key.*", How::kTransposed},
    {"SIDE_lN_self_*v",             "SIDE.layers.N.self_attention.value.*", How::kTransposed},
    {"SIDE_lN_self_*o",             "SIDE.layers.N.self_attention.output.*", How::kTransposed},
    {"decoder_lN_rnn_W",            "decoder.layers.N.ssru.input.weight", How::kTransposed},
    {"",                            "decoder.layers.N.ssru.input.bias", How::kOrZeros},
    {"decoder_lN_rnn_*f",           "decoder.layers.N.ssru.forget.*", How::kTransposed},
    {"decoder_lN_rnn_*o",           "decoder.layers.N.ssru.output.*", How::kTransposed},
    {"SIDE_lN_self_Wo_ln_*PRE",     "SIDE.layers.N.self_attention_norm.*"},
    {"decoder_lN_rnnRNN_ln_*PRE",   "decoder.layers.N.self_attention_norm.*"},
    {"decoder_lN_context_*q",       "decoder.layers.N.cross_attention.query.*", How::kTransposed},
    {"decoder_lN_context_*k",       "decoder.layers.N.cross_attention.key.*", How::kTransposed},
    {"decoder_lN_context_*v",       "decoder.layers.N.cross_attention.value.*", How::kTransposed},
    {"decoder_lN_context_*o",       "decoder.layers.N.cross_attention.output.*", How::kTransposed},
    {"decoder_lN_context_Wo_ln_*PRE", "decoder.layers.N.cross_attention_norm.*"},
    {"SIDE_lN_ffn_*1",              "SIDE.layers.N.feed_forward.hidden.*", How::kTransposed},
    {"SIDE_lN_ffn_*2",              "SIDE.layers.N.feed_forward.output.*", How::kTransposed},
    {"SIDE_lN_ffn_ffn_ln_*PRE",     "SIDE.layers.N.feed_forward_norm.*"},
};
// clang-format on

// `tied`: for each decoder layer, from 1, the layer whose weights it uses.
TensorNames Names(const ModelConfig& config, std::vector<int> tied) {
  const bool pre = config.norm_order == NormOrder::kPre;
  return {.table = kTensors,
          .model = "a transformer with these options",
          .weight = "W",
          .bias = "b",
          .norm_scale = "scale",
          .norm_bias = "bias",
          .first_layer = 1,
          .decoder_layers = std::move(tied),
          .words = {{"PRE", pre ? "_pre" : ""}, {"RNN", pre ? "" : "_ffn"}}};
}

absl::Status FillIn(MarianFile& file, Checkpoint& checkpoint) {
  if (file.options.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("has no ", Quoted(kMarianOptions), ", the options that it was trained with"));
  }
  auto mapping = ParseYaml(file.options);
  if (!mapping.ok()) return InContext(kMarianOptions, mapping.status());
  Options options(*std::move(mapping));
  const absl::StatusOr<ModelConfig> config = ConfigOf(options, file);
  if (!config.ok()) return config.status();
  const absl::StatusOr<std::vector<int>> tied = TiedLayers(options, *config);
  if (!tied.ok()) return tied.status();

  auto tensors =
      RenameTensors(Names(*config, *tied), *config, std::move(file.tensors), file.storage);
  if (!tensors.ok()) return tensors.status();
  checkpoint.config = *config;
  checkpoint.tensors = *std::move(tensors);
  checkpoint.storage = std::move(file.storage);
  return BindWeights(checkpoint.config, checkpoint.tensors).status();
}

// --- Files ---

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::vector<std::string> PathsIn(const std::string& folder,
                                 const std::function<bool(const std::string& name)>& wanted) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (wanted(entry->path().filename().string())) paths.push_back(entry->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Other programs also write .npz files. A damaged one counts, so that ReadMarian reports it.
bool IsMarianNpz(const std::string& path) {
  if (path.ends_with(".optimizer.npz")) return false;
  const auto zip = ZipReader::Open(path);
  if (!zip.ok()) return true;
  return std::any_of((*zip)->names().begin(), (*zip)->names().end(),
                     [](const std::string& name) { return name.starts_with(kMarianOptions); });
}

bool IsMarianFile(const std::string& path) {
  if (path.ends_with(".npz")) return IsMarianNpz(path);
  return path.ends_with(".bin") && IsMarianBin(path);
}

std::vector<std::string> MarianFilesIn(const std::string& folder) {
  return PathsIn(folder,
                 [&](const std::string& name) { return IsMarianFile(folder + "/" + name); });
}

// Some models have a shortlist, "lex.*.bin".
absl::Status ReadShortlist(const std::string& model_path, Checkpoint& checkpoint) {
  const fs::path folder = fs::path(model_path).parent_path();
  const std::vector<std::string> paths = PathsIn(
      folder.empty() ? "." : folder.string(),
      [](const std::string& name) { return name.starts_with("lex") && name.ends_with(".bin"); });
  if (paths.empty()) return absl::OkStatus();
  if (paths.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected one shortlist beside the model, found ", absl::StrJoin(paths, ", ")));
  }
  const auto file = MappedFile::Open(paths[0]);
  if (!file.ok()) return file.status();
  const ModelConfig& config = checkpoint.config;
  const auto shortlist =
      ParseShortlist((*file)->bytes(), config.source_vocab_size, config.target_vocab_size);
  if (!shortlist.ok()) return InContext(paths[0], shortlist.status());
  checkpoint.shortlist = (*file)->text();
  return absl::OkStatus();
}

std::string FormatName(const std::string& path, const Checkpoint& checkpoint) {
  if (path.ends_with(".npz")) return "Marian .npz";
  const bool is_int8 =
      std::any_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                  [](const auto& entry) { return entry.second.dtype == DType::kInt8; });
  return is_int8 ? "Marian .bin in int8, as of Bergamot and Firefox" : "Marian .bin";
}

}  // namespace

bool IsMarian(const std::string& path) {
  if (IsFolder(path)) return !MarianFilesIn(path).empty();
  return Exists(path) && IsMarianFile(path);
}

absl::StatusOr<Checkpoint> ReadMarian(const std::string& path) {
  std::string model_path = path;
  if (IsFolder(path)) {
    const std::vector<std::string> files = MarianFilesIn(path);
    if (files.size() != 1) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": expected one Marian model, found ",
                                                     absl::StrJoin(files, ", "),
                                                     "; give the file instead of the folder"));
    }
    model_path = files[0];
  }
  auto file = model_path.ends_with(".npz") ? ReadMarianNpz(model_path) : ReadMarianBin(model_path);
  if (!file.ok()) return file.status();
  Checkpoint checkpoint;
  absl::Status status = InContext(model_path, FillIn(*file, checkpoint));
  checkpoint.format = FormatName(model_path, checkpoint);
  if (status.ok()) status = ReadMarianVocabularies(model_path, checkpoint);
  if (status.ok()) status = ValidateConfig(checkpoint.config);
  if (status.ok()) status = ReadShortlist(model_path, checkpoint);
  if (!status.ok()) return status;
  return checkpoint;
}

}  // namespace limpid::internal
