// Flags for searching a translation.

#ifndef LIMPID_TOOLS_SEARCH_FLAGS_H_
#define LIMPID_TOOLS_SEARCH_FLAGS_H_

#include "limpid/search_options.h"
#include "tools/flags.h"

namespace limpid::internal {

// Adds the flags of a single translation. CheckSearchOptions detects conflicts.
void AddSearchFlags(SearchOptions* options, Flags* flags);

// Adds the flags that ask for several translations of one text: --nbest, --alternatives …
void AddNBestFlags(SearchOptions* options, Flags* flags);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SEARCH_FLAGS_H_
