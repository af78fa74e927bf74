// Whose rows a transaction may see. Values only; no threads.
#pragma once

#include <string>
#include <utility>

namespace davit::postgres {

// The tenant that row-level security confines a transaction to. There is no default: every transaction says it.
class Scope {
 public:
  // Only rows of one project (not empty, not "*"; else the transaction fails with INTERNAL).
  static Scope Project(std::string project) { return Scope(std::move(project), Kind::kProject); }

  // Rows of every project, for a service's own work across tenants.
  static Scope AllProjects() { return Scope("*", Kind::kAll); }

  // The value of the setting davit.project, which the policies compare.
  const std::string& setting() const { return setting_; }

  // Whether a project scope names a real project.
  bool IsValid() const { return kind_ == Kind::kAll || (!setting_.empty() && setting_ != "*"); }

 private:
  enum class Kind { kProject, kAll };

  Scope(std::string setting, Kind kind) : setting_(std::move(setting)), kind_(kind) {}

  std::string setting_;
  Kind kind_;
};

}  // namespace davit::postgres
