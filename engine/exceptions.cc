#include "engine/exceptions.h"

#include <exception>
#include <new>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace limpid::internal {
namespace {

// Copying a Status allocates nothing.
const absl::Status& translating = *new absl::Status(absl::ResourceExhaustedError(
    "out of memory: translate fewer sentences at a time (batch_size), or use a smaller model"));
const absl::Status& loading = *new absl::Status(
    absl::ResourceExhaustedError("out of memory: loading the model needs more; use a smaller one"));

}  // namespace

const absl::Status& OutOfMemoryTranslating() { return translating; }
const absl::Status& OutOfMemoryLoading() { return loading; }

absl::Status StatusOfException(const absl::Status& out_of_memory) noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      return out_of_memory;
    } catch (const std::length_error&) {  // a size larger than any memory
      return out_of_memory;
    } catch (const std::exception& error) {
      return absl::InternalError(absl::StrCat("an exception was thrown: ", error.what()));
    } catch (...) {
      return absl::InternalError("an exception of unknown type was thrown");
    }
  } catch (...) {  // no memory for the message
    return out_of_memory;
  }
}

}  // namespace limpid::internal
