// One SQL statement with its name, as sql_library embeds it from a .sql file. Constants only; usable from any thread.
#pragma once

namespace davit::postgres {

// A statement of queries/NAME.sql or of migrations/NNNN_NAME.sql. `name` is the file's stem; it is also the name under
// which a connection prepares the statement, so it must be unique among the statements that one pool executes.
struct Statement {
  const char* name;
  const char* text;
};

}  // namespace davit::postgres
