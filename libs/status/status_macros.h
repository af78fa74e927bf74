// Control-flow macros for absl::Status and absl::StatusOr. Owns nothing; usable from any thread.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define DAVIT_STATUS_CONCAT_INNER(a, b) a##b
#define DAVIT_STATUS_CONCAT(a, b) DAVIT_STATUS_CONCAT_INNER(a, b)

// Returns from the enclosing function with the expression's status unless it is OK.
#define DAVIT_RETURN_IF_ERROR(expression)          \
  do {                                             \
    ::absl::Status davit_status_ = (expression);   \
    if (!davit_status_.ok()) return davit_status_; \
  } while (false)

// Evaluates an absl::StatusOr; returns its status unless it is OK, else moves the value into `declaration`.
#define DAVIT_ASSIGN_OR_RETURN(declaration, expression) \
  DAVIT_ASSIGN_OR_RETURN_IMPL(DAVIT_STATUS_CONCAT(davit_status_or_, __LINE__), declaration, expression)

#define DAVIT_ASSIGN_OR_RETURN_IMPL(holder, declaration, expression) \
  auto holder = (expression);                                        \
  if (!holder.ok()) return holder.status();                          \
  declaration = std::move(holder).value()
