// The version of this program. Owns nothing.
#pragma once

namespace davit::cli {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace davit::cli
