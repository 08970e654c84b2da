// What the files that are compiled for each instruction set share. Included within each of them,
// and so once an instruction set, as Highway's own -inl.h files are.

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

// As many as the vectors of a processor hold, and no more than rows are padded for.
using FloatTag = hn::CappedTag<float, 16>;

inline size_t LanesOf(FloatTag d) { return hn::Lanes(d); }
inline float SumLanes(FloatTag d, hn::Vec<FloatTag> v) { return hn::GetLane(hn::SumOfLanes(d, v)); }

// Applies `vector(i)` to whole vectors of [0, size) and `scalar(i)` to what is left.
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
