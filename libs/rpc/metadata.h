// Names of the metadata that Davit's calls carry. Owns nothing.
#pragma once

namespace davit::rpc {

// Request: `Bearer <token>`.
inline constexpr char kAuthorization[] = "authorization";

// Request: the caller's name for this request, for logs; made up when missing. Response (trailing): the name in use.
inline constexpr char kRequestId[] = "x-request-id";

// Response (trailing): id of the token that the call was made with, for the server's log line and for the caller.
inline constexpr char kCallerToken[] = "x-davit-token";

}  // namespace davit::rpc
