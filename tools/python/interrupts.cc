#include "tools/python/interrupts.h"

#include <nanobind/nanobind.h>

#include <chrono>
#include <future>
#include <optional>

namespace limpid::python {
namespace {

namespace nb = nanobind;

constexpr std::chrono::milliseconds kTimeBetweenLooks(20);

bool IsMainThread() {
  const nb::module_ threading = nb::module_::import_("threading");
  return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

// Runs the handlers of signals that have arrived, and fetches what one of them raises.
void HandleSignals(std::optional<nb::python_error>* raised) {
  const nb::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) raised->emplace();
}

}  // namespace

void CallWithoutGil(Duration duration, absl::FunctionRef<void(std::stop_token stop)> work) {
  if (duration == Duration::kMilliseconds || !IsMainThread()) {
    const nb::gil_scoped_release release;
    work({});
    return;
  }
  std::optional<nb::python_error> raised;
  {
    const nb::gil_scoped_release release;
    std::stop_source stop;
    std::future<void> done = std::async(std::launch::async, work, stop.get_token());
    while (!raised.has_value() && done.wait_for(kTimeBetweenLooks) != std::future_status::ready) {
      HandleSignals(&raised);
    }
    if (raised.has_value()) stop.request_stop();
    done.get();
  }
  if (raised.has_value()) throw *std::move(raised);
}

}  // namespace limpid::python
