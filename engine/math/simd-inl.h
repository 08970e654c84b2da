// Shared by the files that Highway compiles once per instruction set. Like Highway's own -inl.h
// files, this one is included anew for each.

#if defined(LIMPID_ENGINE_MATH_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMPID_ENGINE_MATH_SIMD_INL_H_
#undef LIMPID_ENGINE_MATH_SIMD_INL_H_
#else
#define LIMPID_ENGINE_MATH_SIMD_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many lanes as the processor's vectors hold, up to the 16 that PaddedKeys pads rows to.
using FloatTag = hn::CappedTag<float, 16>;

inline size_t LanesOf(FloatTag d) { return hn::Lanes(d); }
inline float SumLanes(FloatTag d, hn::Vec<FloatTag> v) { return hn::GetLane(hn::SumOfLanes(d, v)); }

// Calls vector(i) for each whole vector of [0, size), then scalar(i) for each element of the rest.
template <typename VectorStep, typename ScalarStep>
HWY_INLINE void ForEach(int size, const VectorStep& vector, const ScalarStep& scalar) {
  const int lanes = static_cast<int>(LanesOf(FloatTag()));
  int i = 0;
  for (; i + lanes <= size; i += lanes) vector(i);
  for (; i < size; ++i) scalar(i);
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#endif  // LIMPID_ENGINE_MATH_SIMD_INL_H_
