// The form of Davit's ids: a prefix that says what it names, and a sortable unique part. Owns nothing; any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/clock/clock.h"
#include "libs/ids/random.h"

namespace davit {

// Returns a new id such as "bld_01jgfjh3zdf2mvq8r6kq8c0v4x": `prefix` (lower-case letters), "_", and a UUID of version
// 7 (RFC 9562, with the fraction of the millisecond in rand_a) as 26 characters of lower-case Crockford base32. Ids
// sort as text by their time of creation, to about a quarter of a microsecond.
std::string NewId(absl::string_view prefix, Clock& clock, RandomSource& random);

// The least id that NewId can have made at `time` or later; times before 1970 are taken as 1970.
std::string LeastId(absl::string_view prefix, absl::Time time);

// Whether `text` has the form that NewId gives for `prefix`.
bool IsId(absl::string_view prefix, absl::string_view text);

}  // namespace davit
