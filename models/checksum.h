// Checksums of weights, kept in the metadata of a safetensors file: a byte that changed on a disk
// or on the way is found and its tensor named. They guard against accidents; who means harm can
// change them as well.

#ifndef LIMPID_MODELS_CHECKSUM_H_
#define LIMPID_MODELS_CHECKSUM_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "models/tensor.h"

namespace limpid {

// Metadata for WriteSafetensors: "crc32 NAME" of each tensor, in hexadecimal, and "crc32
// NAME.scale" of the scales of each that is int8.
std::map<std::string, std::string> Checksums(const TensorMap& tensors);

// Compares the weights of a Limpid folder with their checksums. Fails with DataLoss, naming the
// tensors that differ, and with FailedPrecondition if any tensor has no checksum.
absl::Status VerifyChecksums(const std::string& folder);

}  // namespace limpid

#endif  // LIMPID_MODELS_CHECKSUM_H_
