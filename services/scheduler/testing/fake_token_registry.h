// A token-registry for tests of the scheduler: knows one connection and one registry credential, records grants.
// Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "davit/registry/v1/build_secrets.grpc.pb.h"
#include "davit/registry/v1/token_registry.grpc.pb.h"

namespace davit::scheduler {

// Implements what the scheduler calls.
class FakeTokenRegistry : public registry::v1::TokenRegistry::Service {
 public:
  static constexpr char kConnection[] = "con_01jgfjh3zdf2mvq8r6kq8c0v4x";
  static constexpr char kCommit[] = "0123456789012345678901234567890123456789";

  // The status of the next calls of GrantBuildCredentials.
  void SetGrantStatus(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    grant_status_ = std::move(status);
  }

  // The fence that may be issued the build's credentials; 0 = none.
  int64_t GrantedFence(const std::string& build) {
    absl::MutexLock lock(&mutex_);
    return grants_[build];
  }

  int commit_calls() {
    absl::MutexLock lock(&mutex_);
    return commit_calls_;
  }

  // What commits were marked with, oldest first.
  std::vector<registry::v1::SetCommitStatusRequest> statuses() {
    absl::MutexLock lock(&mutex_);
    return statuses_;
  }

  grpc::Status SetCommitStatus(grpc::ServerContext*, const registry::v1::SetCommitStatusRequest* request,
                               registry::v1::SetCommitStatusResponse* response) override {
    absl::MutexLock lock(&mutex_);
    statuses_.push_back(*request);
    response->set_outcome(registry::v1::SetCommitStatusResponse::OUTCOME_SET);
    return grpc::Status::OK;
  }

  grpc::Status GetCommit(grpc::ServerContext*, const registry::v1::GetCommitRequest* request,
                         registry::v1::GetCommitResponse* response) override {
    absl::MutexLock lock(&mutex_);
    ++commit_calls_;
    if (request->connection_id() != kConnection) return {grpc::StatusCode::NOT_FOUND, "no such connection"};
    if (request->revision() == "gone") return {grpc::StatusCode::NOT_FOUND, "revision not found: gone"};
    if (request->revision().size() == 40) {
      response->mutable_commit()->set_id(request->revision());
      return grpc::Status::OK;
    }
    response->mutable_commit()->set_id(kCommit);
    response->mutable_commit()->set_ref(
        absl::StrCat("refs/heads/", request->revision().empty() ? "main" : request->revision()));
    return grpc::Status::OK;
  }

  grpc::Status ListRegistryCredentials(grpc::ServerContext*, const registry::v1::ListRegistryCredentialsRequest*,
                                       registry::v1::ListRegistryCredentialsResponse*) override {
    return grpc::Status::OK;
  }

  grpc::Status GetRegistryCredential(grpc::ServerContext*, const registry::v1::GetRegistryCredentialRequest*,
                                     registry::v1::GetRegistryCredentialResponse*) override {
    return {grpc::StatusCode::NOT_FOUND, "no such registry credential"};
  }

  grpc::Status GrantBuildCredentials(grpc::ServerContext*, const registry::v1::GrantBuildCredentialsRequest* request,
                                     registry::v1::GrantBuildCredentialsResponse*) override {
    absl::MutexLock lock(&mutex_);
    if (!grant_status_.ok()) return grant_status_;
    grants_[request->build_id()] = request->fence();
    return grpc::Status::OK;
  }

  grpc::Status RevokeBuildCredentials(grpc::ServerContext*, const registry::v1::RevokeBuildCredentialsRequest* request,
                                      registry::v1::RevokeBuildCredentialsResponse*) override {
    absl::MutexLock lock(&mutex_);
    if (grants_[request->build_id()] <= request->fence()) grants_.erase(request->build_id());
    return grpc::Status::OK;
  }

 private:
  absl::Mutex mutex_;
  grpc::Status grant_status_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t> grants_ ABSL_GUARDED_BY(mutex_);
  std::vector<registry::v1::SetCommitStatusRequest> statuses_ ABSL_GUARDED_BY(mutex_);
  int commit_calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Knows one secret, "npm".
class FakeBuildSecrets : public registry::v1::BuildSecrets::Service {
 public:
  grpc::Status GetSecret(grpc::ServerContext*, const registry::v1::GetSecretRequest* request,
                         registry::v1::GetSecretResponse* response) override {
    if (request->name() != "npm") {
      return {grpc::StatusCode::NOT_FOUND, absl::StrCat("no secret \"", request->name(), "\"")};
    }
    response->mutable_secret()->set_name(request->name());
    return grpc::Status::OK;
  }
};

}  // namespace davit::scheduler
