// The packed binaries have this file instead of a C++ library. A library that is linked in would make them three times
// as large. The library of the system may have another version, or (musl) be missing. The headers of libc++ need only
// the definitions below. If the code uses more, an undefined symbol remains, which scripts/check-binaries.mjs reports.

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>

// Without exceptions the operator cannot report that memory is exhausted. Node itself aborts as well.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new[](std::size_t size) {
  return operator new(size);
}

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

const std::nothrow_t std::nothrow{};

_LIBCPP_BEGIN_NAMESPACE_STD

// Called when a check of the library fails, or when a container would become too long.
[[noreturn]] void __libcpp_verbose_abort(const char* format, ...) noexcept {
  va_list values;
  va_start(values, format);
  std::vfprintf(stderr, format, values);
  va_end(values);
  std::abort();
}

template class basic_string<char>;

string to_string(int value) {
  char text[12];
  return {text, static_cast<size_t>(std::snprintf(text, sizeof(text), "%d", value))};
}

chrono::steady_clock::time_point chrono::steady_clock::now() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return time_point(seconds(now.tv_sec) + nanoseconds(now.tv_nsec));
}

_LIBCPP_END_NAMESPACE_STD
