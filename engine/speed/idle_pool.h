// Things that are dear to make, kept for whoever next needs one.

#ifndef LIMPID_ENGINE_SPEED_IDLE_POOL_H_
#define LIMPID_ENGINE_SPEED_IDLE_POOL_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace limpid::internal {

// Thread-safe.
template <typename T>
class IdlePool {
 public:
  // `most`: how many are kept. However many were in use at a time, the others are freed.
  explicit IdlePool(size_t most) : max_(most) { idle_.reserve(most); }

  // One that was given back, or else nothing.
  std::unique_ptr<T> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<T> thing = std::move(idle_.back());
    idle_.pop_back();
    return thing;
  }

  void GiveBack(std::unique_ptr<T> thing) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < max_) idle_.push_back(std::move(thing));
  }

  // Frees those idle ones of which `is_too_large`.
  template <typename Predicate>
  void Trim(const Predicate& is_too_large) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(idle_, [&](const std::unique_ptr<T>& thing) { return is_too_large(*thing); });
  }

 private:
  const size_t max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;  // guarded by mutex_
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SPEED_IDLE_POOL_H_
