// One leased build on threads of its own. See the classes for their threading.
#pragma once

#include <memory>
#include <string>

#include "davit/scheduler/v1/agent_service.pb.h"
#include "services/builder_agent/lease_table.h"

namespace davit::builder_agent {

// Why a job is stopped before its end.
enum class StopReason {
  kCancelled,  // Somebody cancelled the build: it is reported so.
  kReturned,   // The agent shuts down: the build is given back.
  kForgotten,  // The lease is gone: nothing more is said of it.
};

// Is told what becomes of jobs, from their threads. Thread-safe.
class JobObserver {
 public:
  virtual ~JobObserver() = default;

  virtual void OnPhase(const LeaseKey& lease, scheduler::v1::BuildPhase phase) = 0;
  // The build has ended and its log is with the scheduler, as far as it takes it.
  virtual void OnResult(const LeaseKey& lease, scheduler::v1::BuildResult result) = 0;
  // The build was stopped to be given back.
  virtual void OnReturned(const LeaseKey& lease) = 0;
  // The job is over, however it ended: destroying it takes no time any more. Its last call.
  virtual void OnOver(const LeaseKey& lease) = 0;
};

// A running build. Destroying it stops and awaits it.
class Job {
 public:
  virtual ~Job() = default;

  // Begins to stop it; returns at once. The first reason counts, but kForgotten replaces any.
  virtual void Stop(StopReason reason) = 0;
};

// Begins jobs. Thread-safe.
class JobLauncher {
 public:
  virtual ~JobLauncher() = default;

  // Begins to build what `lease` says. The observer must outlive the job.
  virtual std::unique_ptr<Job> Launch(const scheduler::v1::Lease& lease, JobObserver& observer) = 0;
};

}  // namespace davit::builder_agent
