// Makes modification times from contents. No state.
#include "libs/buildkit/context_source.h"

namespace davit::buildkit {
namespace {

// 2000-01-01T00:00:00Z: late enough for archivers that know no earlier dates, early enough for no one to take it for a
// build's.
constexpr int64_t kSecond = 946684800;
// The largest prime below 1e9.
constexpr uint64_t kNanosecondValues = 999'999'937;

}  // namespace

int64_t ModificationTime(absl::string_view content_id) {
  // FNV-1a, then the finalizer of splitmix64, so that every input bit reaches the remainder.
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : content_id) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  hash ^= hash >> 31;
  return kSecond * 1'000'000'000 + static_cast<int64_t>(hash % kNanosecondValues);
}

}  // namespace davit::buildkit
