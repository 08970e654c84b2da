#include "tokenizer/sentencepiece_adapter.h"

#include <sentencepiece_processor.h>

#include <exception>
#include <new>

namespace limpid::internal {

SentencePieceAdapter::SentencePieceAdapter()
    : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {}

SentencePieceAdapter::~SentencePieceAdapter() = default;

std::unique_ptr<const SentencePieceAdapter> SentencePieceAdapter::Load(std::string_view model,
                                                                       std::string& error) {
  try {
    std::unique_ptr<SentencePieceAdapter> adapter(new SentencePieceAdapter());
    const sentencepiece::util::Status status = adapter->processor_->LoadFromSerializedProto(model);
    if (status.ok()) return adapter;
    error = status.message();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& exception) {  // from its double-array trie
    error = exception.what();
  }
  return nullptr;
}

std::vector<SentencePieceAdapter::Piece> SentencePieceAdapter::Encode(std::string_view text) const {
  sentencepiece::ImmutableSentencePieceText encoded;
  // No valid model fails; a failure leaves no pieces.
  processor_->Encode(text, encoded.mutable_proto()).IgnoreError();
  std::vector<Piece> pieces;
  pieces.reserve(encoded.pieces_size());
  for (size_t i = 0; i < encoded.pieces_size(); ++i) {
    const auto piece = encoded.pieces(static_cast<int>(i));
    pieces.push_back({piece.piece(), piece.begin(), piece.end()});
  }
  return pieces;
}

std::vector<std::string> SentencePieceAdapter::Decode(
    const std::vector<std::string_view>& pieces) const {
  sentencepiece::ImmutableSentencePieceText decoded;
  processor_->Decode(pieces, decoded.mutable_proto()).IgnoreError();
  std::vector<std::string> surfaces(pieces.size());
  for (size_t i = 0; i < decoded.pieces_size(); ++i) {
    surfaces[i] = decoded.pieces(static_cast<int>(i)).surface();
  }
  return surfaces;
}

}  // namespace limpid::internal
