// Implements upload_pack.h.
#include "libs/git/upload_pack.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "libs/status/annotate.h"
#include "libs/status/status_macros.h"

namespace davit::git {
namespace {

constexpr absl::string_view kAdvertisementPath = "/info/refs?service=git-upload-pack";
constexpr absl::string_view kUploadPackPath = "/git-upload-pack";
constexpr absl::string_view kAgent = "agent=davit";
// A transfer that moves less than a byte a second for this long is given up.
constexpr absl::Duration kStallWindow = absl::Seconds(60);
// Framing, progress and ref listings, on top of a pack.
constexpr int64_t kMaxOverheadBytes = int64_t{256} << 20;
// The most refs that are listed, so that a hostile server cannot fill the memory.
constexpr size_t kMaxRefs = 2'000'000;

ByteSource SourceOf(http::ResponseStream& stream) {
  return [&stream](absl::Span<char> buffer) { return stream.Read(buffer); };
}

// Drops what a listing is not about and sorts it: branches and tags only.
void Normalize(RemoteRefs* refs) {
  auto& list = refs->refs;
  list.erase(std::remove_if(list.begin(), list.end(),
                            [](const RemoteRef& ref) {
                              return !absl::StartsWith(ref.name, "refs/heads/") &&
                                     !absl::StartsWith(ref.name, "refs/tags/");
                            }),
             list.end());
  std::sort(list.begin(), list.end(), [](const RemoteRef& a, const RemoteRef& b) { return a.name < b.name; });
}

absl::Status TooManyRefs() {
  return absl::ResourceExhaustedError("repository over the limit: it has more than 2,000,000 refs");
}

void AppendCommand(absl::string_view command, std::string* body) {
  AppendPktLine(absl::StrCat("command=", command, "\n"), body);
  AppendPktLine(absl::StrCat(kAgent, "\n"), body);
  AppendPktLine("object-format=sha1\n", body);
  absl::StrAppend(body, kDelimiterPkt);
}

}  // namespace

std::string EncodePackRequest(const RemoteCapabilities& capabilities, const PackRequest& request) {
  const bool v2 = capabilities.version == 2;
  std::string body;
  if (v2) {
    AppendCommand("fetch", &body);
    for (const absl::string_view option : {"thin-pack\n", "no-progress\n", "ofs-delta\n"}) AppendPktLine(option, &body);
    AppendPktLine(absl::StrCat("want ", request.want.Hex(), "\n"), &body);
  } else {
    AppendPktLine(
        absl::StrCat("want ", request.want.Hex(), " side-band-64k thin-pack no-progress ofs-delta",
                     request.depth > 0 ? " shallow" : "", request.commits_only ? " filter" : "", " ", kAgent, "\n"),
        &body);
  }
  for (const ObjectId& id : request.shallow) AppendPktLine(absl::StrCat("shallow ", id.Hex(), "\n"), &body);
  if (request.depth > 0) AppendPktLine(absl::StrCat("deepen ", request.depth, "\n"), &body);
  if (request.commits_only) AppendPktLine("filter tree:0\n", &body);
  if (!v2) absl::StrAppend(&body, kFlushPkt);
  for (const ObjectId& id : request.haves) AppendPktLine(absl::StrCat("have ", id.Hex(), "\n"), &body);
  AppendPktLine("done\n", &body);
  if (v2) absl::StrAppend(&body, kFlushPkt);
  return body;
}

Remote::Remote(http::Client& client, const RepositoryUrl& url, const Credential& credential,
               const FetchControl& control, absl::Time deadline)
    : client_(client), url_(url), credential_(credential), control_(control), deadline_(deadline), base_(url.text()) {}

http::Request Remote::NewRequest(const std::string& url) const {
  http::Request request;
  request.url = url;
  request.headers.Set("Git-Protocol", "version=2");
  if (!credential_.username.empty()) {
    request.headers.Set("Authorization", http::BasicAuthorization(credential_.username, credential_.secret.Reveal()));
  }
  request.timeout = std::max(deadline_ - absl::Now(), absl::Milliseconds(1));
  request.low_speed_window = kStallWindow;
  // FetchPack counts the pack itself; this bounds what else may come.
  request.max_response_bytes = control_.max_received_bytes + kMaxOverheadBytes;
  request.cancelled = control_.cancelled;
  return request;
}

absl::Status Remote::CheckStatus(const http::ResponseHead& head) const {
  const int code = head.status;
  if (code == 200) return absl::OkStatus();
  if (code == 401 || code == 403) {
    const std::string message =
        credential_.username.empty()
            ? absl::StrCat("repository not found, or it needs a credential: ", url_.authority(), " answered ", code)
            : absl::StrCat("credential rejected by ", url_.authority(), " (", code, ")");
    return code == 401 ? absl::UnauthenticatedError(message) : absl::PermissionDeniedError(message);
  }
  if (code == 404 || code == 410) {
    return absl::NotFoundError(absl::StrCat("repository not found: ", url_.text()));
  }
  if (code >= 300 && code < 400) {
    return absl::FailedPreconditionError(
        absl::StrCat("repository moved: ", url_.text(), " redirects elsewhere; use its new URL"));
  }
  return absl::UnavailableError(absl::StrCat(url_.authority(), " answered ", code, " to a git request"));
}

absl::Status Remote::CheckRedirect(const http::ResponseHead& head) {
  absl::string_view final_url = head.url;
  if (final_url.empty() || final_url == absl::StrCat(base_, kAdvertisementPath)) return absl::OkStatus();
  DAVIT_ASSIGN_OR_RETURN(const http::Url target, http::Url::Parse(final_url));
  DAVIT_ASSIGN_OR_RETURN(const http::Url origin, http::Url::Parse(base_));
  if (target.Origin() != origin.Origin() || !absl::ConsumeSuffix(&final_url, kAdvertisementPath)) {
    return absl::FailedPreconditionError(
        absl::StrCat("repository moved: ", url_.text(), " redirects to ", target.Origin(), "; use its new URL"));
  }
  base_ = std::string(final_url);
  return absl::OkStatus();
}

absl::Status Remote::ServerError(absl::string_view message, const ObjectId* want) const {
  if (want != nullptr && (absl::StrContains(message, "not our ref") || absl::StrContains(message, "unadvertised"))) {
    return absl::FailedPreconditionError(absl::StrCat("commit ", want->Hex(), " is no longer reachable"));
  }
  if (absl::StrContains(message, "not found") || absl::StrContains(message, "could not be found")) {
    return absl::NotFoundError(absl::StrCat("repository not found: ", url_.text()));
  }
  return absl::UnavailableError(absl::StrCat(url_.authority(), " refused a git request: \"",
                                             absl::CHexEscape(absl::StripSuffix(message.substr(0, 200), "\n")), "\""));
}

void Remote::Assume(const RemoteCapabilities& capabilities) {
  capabilities_ = capabilities;
  discovered_ = true;
}

absl::StatusOr<RemoteCapabilities> Remote::Discover() {
  if (discovered_) return capabilities_;
  http::Request request = NewRequest(absl::StrCat(base_, kAdvertisementPath));
  request.max_redirects = 3;
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<http::ResponseStream> stream, client_.Open(request));
  DAVIT_RETURN_IF_ERROR(CheckStatus(stream->head()));
  DAVIT_RETURN_IF_ERROR(CheckRedirect(stream->head()));
  if (stream->head().headers.Get("Content-Type") != "application/x-git-upload-pack-advertisement") {
    return absl::NotFoundError(
        absl::StrCat("repository not found: ", url_.text(), " does not answer like a git server (smart HTTP)"));
  }
  PktReader reader(SourceOf(*stream));
  DAVIT_RETURN_IF_ERROR(ReadAdvertisement(reader));
  discovered_ = true;
  return capabilities_;
}

absl::Status Remote::ReadAdvertisement(PktReader& reader) {
  DAVIT_ASSIGN_OR_RETURN(Pkt pkt, reader.Next());
  if (pkt.kind == Pkt::Kind::kData && absl::StartsWith(pkt.payload, "# service=")) {
    DAVIT_ASSIGN_OR_RETURN(pkt, reader.Next());
    if (pkt.kind != Pkt::Kind::kFlush) return absl::InternalError("the server's answer is not git's protocol");
    DAVIT_ASSIGN_OR_RETURN(pkt, reader.Next());
  }
  if (pkt.kind != Pkt::Kind::kData) return absl::OkStatus();
  if (pkt.Line() == "version 2") return ReadCapabilities(reader);
  return ReadRefAdvertisement(pkt, reader);
}

absl::Status Remote::ReadCapabilities(PktReader& reader) {
  capabilities_.version = 2;
  capabilities_.any_id = true;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const Pkt pkt, reader.Next());
    if (pkt.kind != Pkt::Kind::kData) return absl::OkStatus();
    absl::string_view line = pkt.Line();
    if (absl::ConsumePrefix(&line, "fetch=")) {
      for (const absl::string_view feature : absl::StrSplit(line, ' ')) {
        if (feature == "shallow") capabilities_.shallow = true;
        if (feature == "filter") capabilities_.filter = true;
      }
    } else if (absl::ConsumePrefix(&line, "object-format=") && line != "sha1") {
      return absl::FailedPreconditionError(
          absl::StrCat("repository not usable: its object format is ", absl::CHexEscape(line), ", only sha1 is known"));
    }
  }
}

absl::Status Remote::ReadRefAdvertisement(Pkt first, PktReader& reader) {
  std::string head_target;
  std::map<std::string, ObjectId> peeled;
  for (Pkt pkt = first; pkt.kind == Pkt::Kind::kData;) {
    if (absl::StartsWith(pkt.payload, "ERR ")) return ServerError(pkt.payload.substr(4), nullptr);
    const std::pair<absl::string_view, absl::string_view> split = absl::StrSplit(pkt.Line(), absl::MaxSplits('\0', 1));
    for (const absl::string_view capability : absl::StrSplit(split.second, ' ', absl::SkipEmpty())) {
      absl::string_view value = capability;
      if (capability == "shallow") capabilities_.shallow = true;
      if (capability == "filter") capabilities_.filter = true;
      if (capability == "allow-reachable-sha1-in-want") capabilities_.any_id = true;
      if (absl::ConsumePrefix(&value, "symref=HEAD:")) head_target = std::string(value);
    }
    const std::pair<absl::string_view, absl::string_view> ref = absl::StrSplit(split.first, absl::MaxSplits(' ', 1));
    if (ref.second != "capabilities^{}" && ref.first != "shallow") {
      DAVIT_ASSIGN_OR_RETURN(const ObjectId id, ObjectId::FromHex(ref.first));
      absl::string_view name = ref.second;
      if (absl::ConsumeSuffix(&name, "^{}")) {
        peeled[std::string(name)] = id;
      } else if (name != "HEAD") {
        advertised_.refs.push_back({std::string(name), id, ObjectId()});
        if (advertised_.refs.size() > kMaxRefs) return TooManyRefs();
      }
    }
    DAVIT_ASSIGN_OR_RETURN(pkt, reader.Next());
  }
  for (RemoteRef& ref : advertised_.refs) {
    const auto found = peeled.find(ref.name);
    if (found == peeled.end()) continue;
    ref.tag = ref.commit;
    ref.commit = found->second;
  }
  advertised_.default_branch = head_target;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<http::ResponseStream>> Remote::Post(std::string body) {
  http::Request request = NewRequest(absl::StrCat(base_, kUploadPackPath));
  request.method = "POST";
  request.headers.Set("Content-Type", "application/x-git-upload-pack-request");
  request.headers.Set("Accept", "application/x-git-upload-pack-result");
  request.body = std::move(body);
  DAVIT_ASSIGN_OR_RETURN(std::unique_ptr<http::ResponseStream> stream, client_.Open(request));
  if (stream->head().status >= 300 && stream->head().status < 400) {
    // Redirects are followed by Discover only: asking anew is the way out.
    return absl::UnavailableError(absl::StrCat(url_.authority(), " redirected a git request"));
  }
  DAVIT_RETURN_IF_ERROR(CheckStatus(stream->head()));
  return stream;
}

absl::StatusOr<RemoteRefs> Remote::ListRefs(const std::vector<std::string>& prefixes) {
  DAVIT_RETURN_IF_ERROR(Discover().status());
  RemoteRefs result = advertised_;
  if (capabilities_.version == 2) {
    std::string body;
    AppendCommand("ls-refs", &body);
    AppendPktLine("peel\n", &body);
    AppendPktLine("symrefs\n", &body);
    AppendPktLine("ref-prefix HEAD\n", &body);
    for (const std::string& prefix : prefixes) AppendPktLine(absl::StrCat("ref-prefix ", prefix, "\n"), &body);
    absl::StrAppend(&body, kFlushPkt);
    DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<http::ResponseStream> stream, Post(std::move(body)));
    PktReader reader(SourceOf(*stream));
    DAVIT_ASSIGN_OR_RETURN(result, ReadLsRefs(reader));
  }
  Normalize(&result);
  return result;
}

absl::StatusOr<RemoteRefs> Remote::ReadLsRefs(PktReader& reader) const {
  RemoteRefs result;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const Pkt pkt, reader.Next());
    if (pkt.kind != Pkt::Kind::kData) return result;
    if (absl::StartsWith(pkt.payload, "ERR ")) return ServerError(pkt.payload.substr(4), nullptr);
    const std::vector<absl::string_view> words = absl::StrSplit(pkt.Line(), ' ');
    if (words.size() < 2 || words[0] == "unborn") continue;
    RemoteRef ref;
    ref.name = std::string(words[1]);
    DAVIT_ASSIGN_OR_RETURN(ref.commit, ObjectId::FromHex(words[0]));
    for (size_t i = 2; i < words.size(); ++i) {
      absl::string_view value = words[i];
      if (absl::ConsumePrefix(&value, "symref-target:") && words[1] == "HEAD") {
        result.default_branch = std::string(value);
      } else if (absl::ConsumePrefix(&value, "peeled:")) {
        ref.tag = ref.commit;
        DAVIT_ASSIGN_OR_RETURN(ref.commit, ObjectId::FromHex(value));
      }
    }
    if (ref.name != "HEAD") result.refs.push_back(std::move(ref));
    if (result.refs.size() > kMaxRefs) return TooManyRefs();
  }
}

absl::StatusOr<PackResult> Remote::FetchPack(const PackRequest& request, const PackSink& sink) {
  DAVIT_RETURN_IF_ERROR(Discover().status());
  DAVIT_ASSIGN_OR_RETURN(const std::unique_ptr<http::ResponseStream> stream,
                         Post(EncodePackRequest(capabilities_, request)));
  PktReader reader(SourceOf(*stream));
  PackResult result;
  bool in_pack = false;
  while (true) {
    DAVIT_ASSIGN_OR_RETURN(const Pkt pkt, reader.Next());
    if (pkt.kind == Pkt::Kind::kEndOfStream || (pkt.kind == Pkt::Kind::kFlush && in_pack)) break;
    if (pkt.kind != Pkt::Kind::kData || pkt.payload.empty()) continue;
    const absl::string_view data = pkt.payload.substr(1);
    absl::string_view line = pkt.Line();
    if (pkt.payload[0] == '\1') {
      in_pack = true;
      result.received_bytes += data.size();
      if (result.received_bytes > control_.max_received_bytes) {
        return absl::ResourceExhaustedError(absl::StrCat("repository over the limit: the server sends more than ",
                                                         control_.max_received_bytes, " bytes"));
      }
      DAVIT_RETURN_IF_ERROR(sink(data));
    } else if (pkt.payload[0] == '\3') {
      return ServerError(data, &request.want);
    } else if (absl::ConsumePrefix(&line, "ERR ")) {
      return ServerError(line, &request.want);
    } else if (absl::ConsumePrefix(&line, "shallow ")) {
      DAVIT_ASSIGN_OR_RETURN(const ObjectId id, ObjectId::FromHex(line));
      result.shallow.push_back(id);
    }
  }
  if (!in_pack) return absl::UnavailableError(absl::StrCat(url_.authority(), " sent no pack"));
  return result;
}

absl::StatusOr<RemoteRefs> ListRemoteRefs(http::Client& client, const RepositoryUrl& url, const Credential& credential,
                                          const FetchControl& control) {
  Remote remote(client, url, credential, control, absl::Now() + control.timeout);
  auto refs = remote.ListRefs({"refs/heads/", "refs/tags/"});
  return refs.ok() ? std::move(refs) : Annotate(refs.status(), "Failed to list refs");
}

}  // namespace davit::git
