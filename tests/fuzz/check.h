// How a fuzz target says that a promise does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

// Ends the process, which libFuzzer reports together with the input, unless `condition` holds.
#define FUZZ_CHECK(condition)                                                        \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                  \
    }                                                                                \
  } while (false)
