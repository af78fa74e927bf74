// Writes a build's log as people read it.
#include "services/builder_agent/build_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace davit::builder_agent {
namespace {

// A line without an end is written when it is longer than this.
constexpr size_t kLongestLine = 16 << 10;

}  // namespace

BuildLog::BuildLog(LogSpool& spool) : spool_(spool) { SetSecrets({}); }

BuildLog::~BuildLog() = default;

void BuildLog::SetSecrets(const std::vector<crypto::SecretString>& secrets) {
  absl::MutexLock lock(&mutex_);
  forms_.push_back(std::make_unique<SecretForms>(secrets));
}

std::string BuildLog::Mask(absl::string_view text) const {
  absl::MutexLock lock(&mutex_);
  return forms_.back()->MaskText(text);
}

void BuildLog::Note(absl::string_view text) { spool_.AppendNote(absl::StrCat(Mask(text), "\n")); }

void BuildLog::OnMessage(absl::string_view text) { Note(text); }

void BuildLog::Finish() {
  absl::MutexLock lock(&mutex_);
  for (auto& [digest, step] : steps_) WriteLines(step, Rest::kEnd);
}

std::optional<FailedStep> BuildLog::failed_step() const {
  absl::MutexLock lock(&mutex_);
  return failed_step_;
}

BuildLog::Step& BuildLog::FindStep(absl::string_view digest) {
  const auto it = steps_.find(std::string(digest));
  if (it != steps_.end()) return it->second;
  const int number = static_cast<int>(steps_.size()) + 1;
  return steps_.emplace(std::string(digest), Step{number, false, Masker(*forms_.back()), ""}).first->second;
}

void BuildLog::OnStep(const buildkit::StepUpdate& update) {
  absl::MutexLock lock(&mutex_);
  // Steps are numbered as they begin; those that never begin are not told.
  if (update.started == absl::InfinitePast() && update.error.empty()) return;
  const bool first = steps_.count(update.digest) == 0;
  Step& step = FindStep(update.digest);
  const SecretForms& forms = *forms_.back();
  if (first) {
    const std::string name = absl::StrReplaceAll(update.name, {{"\r", ""}, {"\n", " "}});
    spool_.AppendNote(absl::StrCat("#", step.number, " ", forms.MaskText(name), "\n"));
  }
  if (update.completed == absl::InfinitePast() || step.ended) return;
  step.ended = true;
  WriteLines(step, Rest::kEnd);
  if (!update.error.empty()) {
    if (!failed_step_.has_value()) failed_step_ = FailedStep{update.name, update.error};
    spool_.AppendNote(absl::StrCat("#", step.number, " ERROR: ", forms.MaskText(update.error), "\n"));
  } else if (update.cached) {
    spool_.AppendNote(absl::StrCat("#", step.number, " CACHED\n"));
  } else {
    const double seconds = absl::ToDoubleSeconds(update.completed - update.started);
    spool_.AppendNote(absl::StrFormat("#%d DONE %.1fs\n", step.number, seconds));
  }
}

void BuildLog::OnOutput(absl::string_view step_digest, absl::string_view data) {
  absl::MutexLock lock(&mutex_);
  Step& step = FindStep(step_digest);
  absl::StrAppend(&step.line, step.masker.Feed(data));
  WriteLines(step, Rest::kKeep);
}

void BuildLog::WriteLines(Step& step, Rest rest) {
  if (rest == Rest::kEnd) absl::StrAppend(&step.line, step.masker.Flush());
  std::string out;
  size_t begin = 0;
  for (size_t end = step.line.find('\n'); end != std::string::npos; end = step.line.find('\n', begin)) {
    absl::StrAppend(&out, "#", step.number, " ", absl::string_view(step.line).substr(begin, end - begin), "\n");
    begin = end + 1;
  }
  step.line.erase(0, begin);
  if (!step.line.empty() && (rest == Rest::kEnd || step.line.size() > kLongestLine)) {
    absl::StrAppend(&out, "#", step.number, " ", std::exchange(step.line, ""), "\n");
  }
  if (!out.empty()) spool_.AppendOutput(out);
}

}  // namespace davit::builder_agent
