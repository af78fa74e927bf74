// Keeps secrets out of build logs.
#include "services/builder_agent/masker.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace davit::builder_agent {
namespace {

constexpr absl::string_view kMask = "***";
// The part of a base64 text that a secret decides is shorter than its whole encoding; below this it could be anything.
constexpr size_t kShortestEncoding = 8;

// Percent-encodes everything but what RFC 3986 calls unreserved.
std::string UrlEncode(absl::string_view text, bool upper_case) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
      continue;
    }
    const std::string hex = absl::BytesToHexString(absl::string_view(&c, 1));
    absl::StrAppend(&out, "%", upper_case ? absl::AsciiStrToUpper(hex) : hex);
  }
  return out;
}

// What the base64 encoding of "…secret…" contains for sure when `before` bytes (modulo 3) precede the secret: the
// characters that no neighbouring byte takes part in.
std::string Base64Core(absl::string_view secret, size_t before) {
  const std::string encoded = absl::Base64Escape(absl::StrCat(std::string(before, '\0'), secret));
  const size_t begin = (before * 8 + 5) / 6;
  const size_t end = (before + secret.size()) * 8 / 6;
  return encoded.substr(begin, end - begin);
}

void AddForms(absl::string_view secret, std::set<std::string>& forms) {
  forms.insert(std::string(secret));
  const std::string hex = absl::BytesToHexString(secret);
  forms.insert(hex);
  forms.insert(absl::AsciiStrToUpper(hex));
  forms.insert(UrlEncode(secret, true));
  forms.insert(UrlEncode(secret, false));
  for (size_t before = 0; before < 3; ++before) {
    const std::string core = Base64Core(secret, before);
    if (core.size() < kShortestEncoding) continue;
    forms.insert(core);
    forms.insert(absl::StrReplaceAll(core, {{"+", "-"}, {"/", "_"}}));
  }
}

}  // namespace

SecretForms::SecretForms(const std::vector<crypto::SecretString>& secrets) {
  std::set<std::string> forms;
  for (const crypto::SecretString& secret : secrets) {
    if (secret.Reveal().size() >= kShortestSecret) AddForms(secret.Reveal(), forms);
  }
  forms_.assign(forms.begin(), forms.end());
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

SecretForms::~SecretForms() {
  for (std::string& form : forms_) crypto::Wipe(form);
}

size_t SecretForms::MaskUpTo(absl::string_view text, std::string& out) const {
  size_t at = 0;
  while (true) {
    size_t found = absl::string_view::npos;
    size_t length = 0;
    for (const std::string& form : forms_) {
      const size_t place = text.find(form, at);
      if (place < found) {  // At the same place the longest comes first and stays.
        found = place;
        length = form.size();
      }
    }
    // A form that begins before the match and is cut off by the end overlaps it; it must wait like any other.
    size_t cut = text.size();
    for (const std::string& form : forms_) {
      const size_t first = std::max(at, text.size() - std::min(text.size(), form.size() - 1));
      for (size_t start = first; start < cut; ++start) {
        if (absl::StartsWith(form, text.substr(start))) {
          cut = start;
          break;
        }
      }
    }
    if (found == absl::string_view::npos || cut < found) {
      absl::StrAppend(&out, text.substr(at, cut - at));
      return cut;
    }
    absl::StrAppend(&out, text.substr(at, found - at), kMask);
    at = found + length;
  }
}

std::string Masker::Feed(absl::string_view piece) {
  std::string text = std::move(held_);
  absl::StrAppend(&text, piece);
  std::string out;
  const size_t passed = forms_->MaskUpTo(text, out);
  held_ = text.substr(passed);
  return out;
}

std::string Masker::Flush() {
  std::string out = forms_->MaskText(held_);
  held_.clear();
  return out;
}

std::string SecretForms::MaskText(absl::string_view text) const {
  std::string out;
  while (true) {
    const size_t passed = MaskUpTo(text, out);
    if (passed == text.size()) return out;
    // What waits here is not continued: its first byte is ordinary, but a whole secret may begin after it.
    out += text[passed];
    text.remove_prefix(passed + 1);
  }
}

}  // namespace davit::builder_agent
