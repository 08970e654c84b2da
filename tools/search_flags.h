// The flags that say how to search for a translation.

#ifndef LIMPID_TOOLS_SEARCH_FLAGS_H_
#define LIMPID_TOOLS_SEARCH_FLAGS_H_

#include "limpid/search_options.h"
#include "tools/flags.h"

namespace limpid::internal {

// Adds those that any translation may have. CheckSearchOptions tells whether they agree.
void AddSearchFlags(SearchOptions* options, Flags* flags);

// Adds those that give several translations of one text: --nbest, --alternatives and their like.
void AddNBestFlags(SearchOptions* options, Flags* flags);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SEARCH_FLAGS_H_
