// Keeps idle objects that are expensive to make, for reuse.

#ifndef LIMPID_ENGINE_IDLE_POOL_H_
#define LIMPID_ENGINE_IDLE_POOL_H_

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
  // Keeps at most `max` objects; frees others when they are given back.
  explicit IdlePool(size_t max) : max_(max) { idle_.reserve(max); }

  // Returns the object that was given back last; null if none is idle.
  std::unique_ptr<T> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<T> object = std::move(idle_.back());
    idle_.pop_back();
    return object;
  }

  void GiveBack(std::unique_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < max_) idle_.push_back(std::move(object));
  }

  // Frees the idle objects for which should_free(object) is true.
  template <typename Predicate>
  void Free(const Predicate& should_free) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(idle_, [&](const std::unique_ptr<T>& object) { return should_free(*object); });
  }

 private:
  const size_t max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;  // guarded by mutex_
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_IDLE_POOL_H_
