// Whether a sanitizer watches this program's memory. Then tests cannot count or limit memory,
// because AddressSanitizer and ThreadSanitizer bring their own allocator and reserve terabytes of
// addresses.

#ifndef LIMPID_TESTS_SANITIZED_H_
#define LIMPID_TESTS_SANITIZED_H_

// GCC defines a macro for each sanitizer; clang has __has_feature instead.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMPID_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMPID_SANITIZED 1
#endif
#endif
#ifndef LIMPID_SANITIZED
#define LIMPID_SANITIZED 0
#endif

namespace limpid::internal {

inline constexpr bool kSanitized = LIMPID_SANITIZED != 0;

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_SANITIZED_H_
