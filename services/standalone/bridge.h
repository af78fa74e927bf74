// The network bridge that builds' containers are attached to: a bridge of our own, with a free subnet, address
// translation to the outside, and no way to link-local (cloud metadata) addresses. Owns the link and the firewall
// rules. Needs root. One thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::standalone {

// An IPv4 network.
struct Subnet {
  uint32_t address = 0;  // Host byte order.
  int prefix = 32;
};

// Reads "10.1.0.0/16" or "10.1.2.3". INVALID_ARGUMENT otherwise.
absl::StatusOr<Subnet> ParseSubnet(absl::string_view text);

// The destinations of `ip -4 route show table all` (lines that are not IPv4 networks are skipped).
std::vector<Subnet> ParseRoutes(absl::string_view text);

// The third number of a 172.30.N.0/24 that overlaps none of `taken`, the search beginning at `start`.
// RESOURCE_EXHAUSTED when none is free.
absl::StatusOr<int> ChooseSubnet(const std::vector<Subnet>& taken, int start);

class Bridge {
 public:
  // `name` is the interface's, at most 15 characters.
  explicit Bridge(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  // Creates the bridge with a free subnet. Removes one of the same name first.
  absl::Status Create();

  // Removes the bridge and its rules; OK when there is none.
  absl::Status Remove();

 private:
  absl::Status AddRules(const std::string& subnet) const;
  absl::Status RemoveRules() const;

  const std::string name_;
};

}  // namespace davit::standalone
