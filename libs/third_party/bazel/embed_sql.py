"""Writes a C++ header that holds SQL files as constants; called by sql.bzl. Usage: embed_sql.py NAMESPACE FILE..."""

import os
import sys


def constant_name(path):
    """Turns .../0001_create_builds.sql or .../claim_builds.sql into kCreateBuilds0001 or kClaimBuilds."""
    words = os.path.splitext(os.path.basename(path))[0].split("_")
    digits = words.pop(0) if words[0].isdigit() else ""
    return "k" + "".join(word.capitalize() for word in words) + digits


def main():
    namespace, paths = sys.argv[1], sorted(sys.argv[2:])
    out = ["// Generated from .sql files; do not edit.", "#pragma once", '#include "libs/postgres/statement.h"']
    out.append("namespace %s {" % namespace)
    names = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        stem = os.path.splitext(os.path.basename(path))[0]
        name = constant_name(path)
        names.append(name)
        out.append('inline constexpr ::davit::postgres::Statement %s{"%s", R"sql(%s)sql"};' % (name, stem, text))
    out.append("inline constexpr ::davit::postgres::Statement kAll[] = {%s};" % ", ".join(names))
    out.append("}  // namespace %s" % namespace)
    print("\n".join(out))


main()
