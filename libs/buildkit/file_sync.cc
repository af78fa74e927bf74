// Serves build contexts to BuildKit. The protocol is fsutil's (github.com/tonistiigi/fsutil, send.go): all entries, an
// empty entry, then for each ordinal that is asked for its content and an empty piece, and FIN both ways.
#include "libs/buildkit/file_sync.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "fsutil/types/wire.pb.h"
#include "libs/buildkit/context_walk.h"

namespace davit::buildkit {
namespace {

using fsutil::types::Packet;

// Go's os.FileMode bits.
constexpr uint32_t kGoDirectory = 1u << 31;
constexpr uint32_t kGoSymlink = 1u << 27;
// Small enough not to hold up other streams of the session, large enough to cost few messages.
constexpr size_t kPieceBytes = 256 << 10;

// Reverses the query escaping that newer BuildKits use for values with non-ASCII characters.
std::string QueryUnescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
               absl::ascii_isxdigit(text[i + 2])) {
      out += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// All values that the caller's metadata has for `key`.
std::vector<std::string> MetadataValues(const ServerCall& call, const std::string& key) {
  const auto& metadata = call.metadata();
  const bool encoded = metadata.count(key + "-encoded") > 0;
  std::vector<std::string> values;
  const auto [begin, end] = metadata.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    values.push_back(encoded ? QueryUnescape(it->second) : it->second);
  }
  return values;
}

Packet StatPacket(const ContextEntry& entry) {
  Packet packet;
  packet.set_type(Packet::PACKET_STAT);
  fsutil::types::Stat& stat = *packet.mutable_stat();
  stat.set_path(entry.path);
  stat.set_mode(entry.permissions);
  switch (entry.kind) {
    case EntryKind::kDirectory:
      stat.set_mode(entry.permissions | kGoDirectory);
      stat.set_mod_time(ModificationTime(""));
      break;
    case EntryKind::kSymlink:
      stat.set_mode(entry.permissions | kGoSymlink);
      stat.set_linkname(entry.link_target);
      stat.set_mod_time(ModificationTime(entry.link_target));
      break;
    case EntryKind::kFile:
      stat.set_size(entry.size);
      stat.set_mod_time(ModificationTime(entry.content_id));
      break;
  }
  return packet;
}

// One DiffCopy. The calling thread reads, a second one does all the writing.
class Transfer {
 public:
  // `on_error` is told of an error before BuildKit is, so that whoever hears of it through BuildKit finds it there.
  Transfer(const ContextSource& source, ServerCall& call, std::function<void(const absl::Status&)> on_error)
      : source_(source), call_(call), on_error_(std::move(on_error)) {}

  absl::Status Run(const ContextPatterns& patterns) {
    absl::StatusOr<std::vector<ContextEntry>> entries = SelectEntries(source_, patterns);
    if (!entries.ok()) {
      SendError(entries.status());
      return entries.status();
    }
    entries_ = *std::move(entries);
    asked_.assign(entries_.size(), false);
    std::thread writer([this] { Write(); });
    Read();
    writer.join();
    absl::MutexLock lock(&mutex_);
    return error_;
  }

 private:
  enum class Phase { kServing, kFinishing, kBroken };

  // Takes requests until BuildKit is finished or gone.
  void Read() {
    std::string message;
    Packet packet;
    while (call_.Read(&message) && packet.ParseFromString(message)) {
      if (packet.type() == Packet::PACKET_REQ) {
        const size_t ordinal = packet.id();
        absl::MutexLock lock(&mutex_);
        if (ordinal >= entries_.size() || entries_[ordinal].kind != EntryKind::kFile || asked_[ordinal]) {
          error_ = absl::InternalError(absl::StrCat("BuildKit asked for entry ", ordinal, ", which it cannot have"));
          phase_ = Phase::kBroken;
          return;
        }
        asked_[ordinal] = true;
        requests_.push_back(ordinal);
      } else if (packet.type() == Packet::PACKET_FIN) {
        absl::MutexLock lock(&mutex_);
        if (phase_ == Phase::kServing) phase_ = Phase::kFinishing;
        return;
      } else if (packet.type() == Packet::PACKET_ERR) {
        break;
      }
    }
    absl::MutexLock lock(&mutex_);
    phase_ = Phase::kBroken;
  }

  void Write() {
    for (const ContextEntry& entry : entries_) {
      if (!Send(StatPacket(entry), /*more_follows=*/true)) return;
    }
    Packet end;
    end.set_type(Packet::PACKET_STAT);
    if (!Send(end)) return;
    while (true) {
      size_t ordinal = 0;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(this, &Transfer::HasWork));
        if (phase_ == Phase::kBroken) return;
        if (requests_.empty()) break;
        ordinal = requests_.front();
        requests_.pop_front();
      }
      if (const absl::Status sent = SendFile(ordinal); !sent.ok()) {
        {
          absl::MutexLock lock(&mutex_);
          if (error_.ok() && !absl::IsCancelled(sent)) error_ = sent;
          phase_ = Phase::kBroken;
        }
        SendError(sent);
        return;
      }
    }
    Packet fin;
    fin.set_type(Packet::PACKET_FIN);
    Send(fin);
  }

  // Only the writing thread may send, once there is one.
  bool Send(const Packet& packet, bool more_follows = false) {
    packet.SerializeToString(&serialized_);
    return call_.Write(serialized_, more_follows);
  }

  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !requests_.empty() || phase_ != Phase::kServing; }

  // CANCELLED when BuildKit is gone; else the source's error.
  absl::Status SendFile(size_t ordinal) {
    Packet packet;
    packet.set_type(Packet::PACKET_DATA);
    packet.set_id(static_cast<uint32_t>(ordinal));
    absl::Status read = source_.ReadFile(entries_[ordinal], [&](absl::string_view data) {
      for (size_t at = 0; at < data.size(); at += kPieceBytes) {
        const absl::string_view piece = data.substr(at, kPieceBytes);
        packet.set_data(piece.data(), piece.size());
        if (!Send(packet)) return absl::CancelledError("BuildKit ended the transfer");
      }
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
    packet.clear_data();
    return Send(packet) ? absl::OkStatus() : absl::CancelledError("BuildKit ended the transfer");
  }

  void SendError(const absl::Status& error) {
    if (!absl::IsCancelled(error)) on_error_(error);
    Packet packet;
    packet.set_type(Packet::PACKET_ERR);
    packet.set_data(std::string(error.message()));
    Send(packet);
  }

  const ContextSource& source_;
  ServerCall& call_;
  const std::function<void(const absl::Status&)> on_error_;
  std::string serialized_;
  std::vector<ContextEntry> entries_;  // Set before the threads part, then only read.
  absl::Mutex mutex_;
  std::vector<bool> asked_ ABSL_GUARDED_BY(mutex_);
  // Bounded by the number of entries, as each may be asked for once.
  std::deque<size_t> requests_ ABSL_GUARDED_BY(mutex_);
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kServing;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

FileSync::FileSync(std::map<std::string, const ContextSource*> directories) : directories_(std::move(directories)) {}

absl::Status FileSync::DiffCopy(ServerCall& call) {
  const std::vector<std::string> names = MetadataValues(call, "dir-name");
  const auto directory = names.empty() ? directories_.end() : directories_.find(names.front());
  if (directory == directories_.end()) return absl::NotFoundError("no such directory is shared");
  const ContextPatterns patterns{
      .include = MetadataValues(call, "include-patterns"),
      .exclude = MetadataValues(call, "exclude-patterns"),
      .follow = MetadataValues(call, "followpaths"),
  };
  const auto remember = [this](const absl::Status& error) {
    absl::MutexLock lock(&mutex_);
    if (source_error_.ok()) source_error_ = error;
  };
  return Transfer(*directory->second, call, remember).Run(patterns);
}

absl::Status FileSync::source_error() const {
  absl::MutexLock lock(&mutex_);
  return source_error_;
}

}  // namespace davit::buildkit
