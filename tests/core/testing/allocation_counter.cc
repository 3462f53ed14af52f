#include "tests/core/testing/allocation_counter.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace posteriord::testing {
namespace {

std::atomic<std::int64_t> allocated = 0;
std::atomic<std::int64_t> peak = 0;

void* Count(void* block) {
  if (block == nullptr) return block;
  const std::int64_t now = allocated += static_cast<std::int64_t>(malloc_usable_size(block));
  if (now > peak) peak = now;
  return block;
}

void Discount(void* block) {
  if (block != nullptr) allocated -= static_cast<std::int64_t>(malloc_usable_size(block));
}

}  // namespace

std::int64_t ResetPeakOfAllocatedBytes() {
  peak = allocated.load();
  return peak;
}

std::int64_t PeakOfAllocatedBytes() { return peak; }

// What the linker calls instead of malloc and its like.
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);
void __real_free(void* block);

void* __wrap_malloc(std::size_t size) { return Count(__real_malloc(size)); }
void* __wrap_calloc(std::size_t count, std::size_t size) {
  return Count(__real_calloc(count, size));
}
void* __wrap_realloc(void* block, std::size_t size) {
  Discount(block);
  return Count(__real_realloc(block, size));
}
void __wrap_free(void* block) {
  Discount(block);
  __real_free(block);
}
}

}  // namespace posteriord::testing

// Those of the standard library are beyond the linker's reach.
void* operator new(std::size_t size) {
  void* block = std::malloc(std::max<std::size_t>(size, 1));
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
