#include "tests/core/testing/allocation_counter.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>

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

// What the linker calls instead of malloc, operator new and their like. What the standard library
// allocates in its own objects is beyond its reach.
extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);
void __real_free(void* block);
// operator new(std::size_t), operator delete(void*) and operator delete(void*, std::size_t)
void* __real__Znwm(std::size_t size);
void __real__ZdlPv(void* block);
void __real__ZdlPvm(void* block, std::size_t size);

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
void* __wrap__Znwm(std::size_t size) { return Count(__real__Znwm(size)); }
void __wrap__ZdlPv(void* block) {
  Discount(block);
  __real__ZdlPv(block);
}
void __wrap__ZdlPvm(void* block, std::size_t size) {
  Discount(block);
  __real__ZdlPvm(block, size);
}
}

}  // namespace posteriord::testing
