// Tells ThreadSanitizer what absl::Mutex and its relatives order. Debian's Abseil is built without the sanitizer, so
// that their locking is invisible to it and every use of them would be reported as a race. The linker sends our calls
// here
// (--wrap, see BUILD.bazel); linked in the tsan configuration only. The annotations are those that Abseil makes when it
// is built with the sanitizer; between a "pre" and its "post" the sanitizer looks away, which covers the conditions
// that waiters leave to others to evaluate. __real_X is the library's function, __wrap_X what our code calls in its
// place.
#include <sanitizer/tsan_interface.h>

#include <type_traits>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace {

// Annotates `lock`, which takes the mutex (unless it only tries and fails).
template <typename Lock>
auto Locking(absl::Mutex* mutex, unsigned flags, Lock lock) {
  __tsan_mutex_pre_lock(mutex, flags);
  if constexpr (std::is_void_v<decltype(lock())>) {
    lock();
    __tsan_mutex_post_lock(mutex, flags, 0);
  } else {
    const bool result = lock();
    const bool failed = (flags & __tsan_mutex_try_lock) != 0 && !result;
    __tsan_mutex_post_lock(mutex, failed ? flags | __tsan_mutex_try_lock_failed : flags, 0);
    return result;
  }
}

// Annotates `unlock`, which gives the mutex up.
template <typename Unlock>
void Unlocking(absl::Mutex* mutex, unsigned flags, Unlock unlock) {
  __tsan_mutex_pre_unlock(mutex, flags);
  unlock();
  __tsan_mutex_post_unlock(mutex, flags);
}

// Annotates `wait`, which gives the mutex up and takes it again.
template <typename Wait>
auto Waiting(absl::Mutex* mutex, Wait wait) {
  Unlocking(mutex, 0, [] {});
  return Locking(mutex, 0, wait);
}

}  // namespace

extern "C" {

// Libraries that order their own memory in ways that the sanitizer does not see.
const char* __tsan_default_suppressions() {
  return "called_from_lib:libabsl_graphcycles_internal.so\n"
         "race:libabsl_graphcycles_internal.so\n"
         "race:libabsl_synchronization.so\n"
         "race:libgrpc.so\n"
         "race:libgrpc++.so\n"
         "race:libgpr.so\n"
         "race:libprotobuf.so\n"
         "race:libpq.so\n";
}

void __real__ZN4absl7debian35Mutex4LockEv(absl::Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex4LockEv(absl::Mutex* mutex) {
  Locking(mutex, 0, [&] { return __real__ZN4absl7debian35Mutex4LockEv(mutex); });
}

bool __real__ZN4absl7debian35Mutex7TryLockEv(absl::Mutex* mutex);
bool __wrap__ZN4absl7debian35Mutex7TryLockEv(absl::Mutex* mutex) {
  return Locking(mutex, __tsan_mutex_try_lock, [&] { return __real__ZN4absl7debian35Mutex7TryLockEv(mutex); });
}

void __real__ZN4absl7debian35Mutex10ReaderLockEv(absl::Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex10ReaderLockEv(absl::Mutex* mutex) {
  Locking(mutex, __tsan_mutex_read_lock, [&] { return __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex); });
}

bool __real__ZN4absl7debian35Mutex13ReaderTryLockEv(absl::Mutex* mutex);
bool __wrap__ZN4absl7debian35Mutex13ReaderTryLockEv(absl::Mutex* mutex) {
  return Locking(mutex, __tsan_mutex_read_lock | __tsan_mutex_try_lock,
                 [&] { return __real__ZN4absl7debian35Mutex13ReaderTryLockEv(mutex); });
}

void __real__ZN4absl7debian35Mutex6UnlockEv(absl::Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex6UnlockEv(absl::Mutex* mutex) {
  Unlocking(mutex, 0, [&] { __real__ZN4absl7debian35Mutex6UnlockEv(mutex); });
}

void __real__ZN4absl7debian35Mutex12ReaderUnlockEv(absl::Mutex* mutex);
void __wrap__ZN4absl7debian35Mutex12ReaderUnlockEv(absl::Mutex* mutex) {
  Unlocking(mutex, __tsan_mutex_read_lock, [&] { __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex); });
}

void __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(absl::Mutex* mutex, const absl::Condition& condition);
void __wrap__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(absl::Mutex* mutex, const absl::Condition& condition) {
  Locking(mutex, 0, [&] { return __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(mutex, condition); });
}

bool __real__ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE(
    absl::Mutex* mutex, const absl::Condition& condition, absl::Duration timeout);
bool __wrap__ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE(
    absl::Mutex* mutex, const absl::Condition& condition, absl::Duration timeout) {
  return Locking(mutex, 0, [&] {
    return __real__ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE(mutex, condition,
                                                                                              timeout);
  });
}

bool __real__ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE(absl::Mutex* mutex,
                                                                                     const absl::Condition& condition,
                                                                                     absl::Time deadline);
bool __wrap__ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE(absl::Mutex* mutex,
                                                                                     const absl::Condition& condition,
                                                                                     absl::Time deadline) {
  return Locking(mutex, 0, [&] {
    return __real__ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE(mutex, condition, deadline);
  });
}

void __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(absl::Mutex* mutex, const absl::Condition& condition);
void __wrap__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(absl::Mutex* mutex, const absl::Condition& condition) {
  Waiting(mutex, [&] { return __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, condition); });
}

bool __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(absl::Mutex* mutex,
                                                                                     const absl::Condition& condition,
                                                                                     absl::Duration timeout);
bool __wrap__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(absl::Mutex* mutex,
                                                                                     const absl::Condition& condition,
                                                                                     absl::Duration timeout) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(mutex, condition, timeout);
  });
}

bool __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(absl::Mutex* mutex,
                                                                                  const absl::Condition& condition,
                                                                                  absl::Time deadline);
bool __wrap__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(absl::Mutex* mutex,
                                                                                  const absl::Condition& condition,
                                                                                  absl::Time deadline) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(mutex, condition, deadline);
  });
}

void __real__ZN4absl7debian35MutexD1Ev(absl::Mutex* mutex);
void __wrap__ZN4absl7debian35MutexD1Ev(absl::Mutex* mutex) {
  __tsan_mutex_destroy(mutex, 0);
  __real__ZN4absl7debian35MutexD1Ev(mutex);
}

void __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(absl::CondVar* condition, absl::Mutex* mutex);
void __wrap__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(absl::CondVar* condition, absl::Mutex* mutex) {
  Waiting(mutex, [&] { return __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(condition, mutex); });
}

bool __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(absl::CondVar* condition,
                                                                                 absl::Mutex* mutex,
                                                                                 absl::Duration timeout);
bool __wrap__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(absl::CondVar* condition,
                                                                                 absl::Mutex* mutex,
                                                                                 absl::Duration timeout) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(condition, mutex, timeout);
  });
}

bool __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(absl::CondVar* condition,
                                                                              absl::Mutex* mutex, absl::Time deadline);
bool __wrap__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(absl::CondVar* condition,
                                                                              absl::Mutex* mutex, absl::Time deadline) {
  return Waiting(mutex, [&] {
    return __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(condition, mutex, deadline);
  });
}

void __real__ZN4absl7debian312Notification6NotifyEv(absl::Notification* event);
void __wrap__ZN4absl7debian312Notification6NotifyEv(absl::Notification* event) {
  __tsan_release(const_cast<void*>(static_cast<const void*>(event)));
  __real__ZN4absl7debian312Notification6NotifyEv(event);
}

void __real__ZNK4absl7debian312Notification19WaitForNotificationEv(const absl::Notification* event);
void __wrap__ZNK4absl7debian312Notification19WaitForNotificationEv(const absl::Notification* event) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(event);
  __tsan_acquire(const_cast<void*>(static_cast<const void*>(event)));
}

bool __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const absl::Notification* event, absl::Duration timeout);
bool __wrap__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const absl::Notification* event, absl::Duration timeout) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(event, timeout);
  if (notified) __tsan_acquire(const_cast<void*>(static_cast<const void*>(event)));
  return notified;
}

bool __real__ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE(const absl::Notification* event,
                                                                                        absl::Time deadline);
bool __wrap__ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE(const absl::Notification* event,
                                                                                        absl::Time deadline) {
  const bool notified =
      __real__ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE(event, deadline);
  if (notified) __tsan_acquire(const_cast<void*>(static_cast<const void*>(event)));
  return notified;
}

bool __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(absl::BlockingCounter* event);
bool __wrap__ZN4absl7debian315BlockingCounter14DecrementCountEv(absl::BlockingCounter* event) {
  __tsan_release(const_cast<void*>(static_cast<const void*>(event)));
  return __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(event);
}

void __real__ZN4absl7debian315BlockingCounter4WaitEv(absl::BlockingCounter* event);
void __wrap__ZN4absl7debian315BlockingCounter4WaitEv(absl::BlockingCounter* event) {
  __real__ZN4absl7debian315BlockingCounter4WaitEv(event);
  __tsan_acquire(const_cast<void*>(static_cast<const void*>(event)));
}

}  // extern "C"
