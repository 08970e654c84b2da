#include "models/formats/tokenizer_files.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace limpid::internal {
namespace {

constexpr std::pair<const char*, const char*> kNamesPerSide[] = {{"source.spm", "target.spm"},
                                                                 {"source.model", "target.model"}};
constexpr const char* kNamesOfBoth[] = {"sentencepiece.model", "spm.model", "tokenizer.model"};

// OPUS-MT's merges need Moses' tokenizer in aggressive mode, which splits words at hyphens.
constexpr char kMergesOfOpusMt[] = "source.bpe";

// Reads the models of both sides. NotFound if neither exists.
absl::Status ReadSides(const ModelFiles& files, const std::string& source_name,
                       const std::string& target_name, Checkpoint& checkpoint) {
  absl::Status source = ReadTokenizerFile(files, source_name, checkpoint.source_sentencepiece,
                                          checkpoint.source_tokenizer_path);
  absl::Status target = ReadTokenizerFile(files, target_name, checkpoint.target_sentencepiece,
                                          checkpoint.target_tokenizer_path);
  for (const absl::Status* status : {&source, &target}) {
    if (!status->ok() && !absl::IsNotFound(*status)) return *status;
  }
  if (source.ok() == target.ok()) return source;
  return absl::InvalidArgumentError(
      absl::StrCat(files.place, ": has ", source.ok() ? source_name : target_name, " but no ",
                   source.ok() ? target_name : source_name, "; expected both, or neither"));
}

absl::Status ReadForBoth(const ModelFiles& files, const std::string& name, Checkpoint& checkpoint) {
  absl::Status status = ReadTokenizerFile(files, name, checkpoint.source_sentencepiece,
                                          checkpoint.source_tokenizer_path);
  checkpoint.target_sentencepiece = checkpoint.source_sentencepiece;
  checkpoint.target_tokenizer_path = checkpoint.source_tokenizer_path;
  return status;
}

}  // namespace

absl::Status ReadTokenizerFile(const ModelFiles& files, const std::string& name, std::string& model,
                               std::string& path) {
  const absl::StatusOr<FileBytes> file = files.open(name);
  if (!file.ok()) return file.status();
  if (file->bytes.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(files.PathOf(name), ": is empty"));
  }
  model = file->text();
  path = files.PathOf(name);
  return absl::OkStatus();
}

absl::Status ReadTokenizerFiles(const ModelFiles& files, Checkpoint& checkpoint) {
  std::string names;
  for (const auto& [source, target] : kNamesPerSide) {
    absl::Status status = ReadSides(files, source, target, checkpoint);
    if (!absl::IsNotFound(status)) return status;
    absl::StrAppend(&names, source, " and ", target, ", ");
  }
  for (const char* name : kNamesOfBoth) {
    absl::Status status = ReadForBoth(files, name, checkpoint);
    if (!absl::IsNotFound(status)) return status;
    absl::StrAppend(&names, name, ", ");
  }
  if (files.open(kMergesOfOpusMt).ok()) {
    return absl::UnimplementedError(
        absl::StrCat(files.PathOf(kMergesOfOpusMt),
                     ": are merges that go with Moses' tokenizer where it splits ",
                     "words at hyphens (tokenizer.perl -a), which Limpid does not do"));
  }
  names.resize(names.size() - 2);
  checkpoint.tokenizer_names = std::move(names);
  return absl::OkStatus();
}

}  // namespace limpid::internal
