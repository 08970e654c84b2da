// An empty table of contents in place of ICU's data, as if that were not installed (ICU's
// "stubdata"). Takes effect when loaded before ICU.

#include <unicode/udata.h>
#include <unicode/utypes.h>

#include <cstdint>

namespace {

struct Data {
  uint16_t header_size;
  uint8_t magic[2];
  UDataInfo info;
  char padding[8];
  uint32_t entries;
  uint32_t reserved;
  int32_t no_entries[4];
};

}  // namespace

extern "C" {
extern const Data U_ICUDATA_ENTRY_POINT;
}
alignas(16) const Data U_ICUDATA_ENTRY_POINT = {32,
                                                {0xda, 0x27},
                                                {sizeof(UDataInfo),
                                                 0,
                                                 U_IS_BIG_ENDIAN,
                                                 U_CHARSET_FAMILY,
                                                 U_SIZEOF_UCHAR,
                                                 0,
                                                 {'T', 'o', 'C', 'P'},
                                                 {1, 0, 0, 0},
                                                 {0, 0, 0, 0}},
                                                {},
                                                0,
                                                0,
                                                {}};
