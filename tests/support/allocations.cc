#include "tests/support/allocations.h"

namespace {
thread_local bool counting = false;
thread_local std::size_t allocations = 0;
}  // namespace

namespace test_support {

void count_allocations() {
  allocations = 0;
  counting = true;
}

std::size_t allocations_counted() {
  counting = false;
  return allocations;
}

}  // namespace test_support

#if !TEST_SANITIZED
// glibc's own, beneath what is replaced here.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
  if (counting) ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  if (counting) ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  if (counting) ++allocations;
  return __libc_realloc(memory, size);
}
void free(void* memory) {
  if (counting && memory != nullptr) ++allocations;
  __libc_free(memory);
}
}
#endif
