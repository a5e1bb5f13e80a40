#pragma once

#include <utility>
#include <variant>

namespace reuseport {

// A system call that failed: its errno and its name.
struct Failure {
  int error;
  const char* call;
};

struct Done {};

// The value of a step, or why the step failed. Check `ok()` before `value()`.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Failure failure) : state_(failure) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  T& value() { return *std::get_if<T>(&state_); }
  const Failure& failure() const { return *std::get_if<Failure>(&state_); }

 private:
  std::variant<T, Failure> state_;
};

using Status = Result<Done>;

}  // namespace reuseport
