// YAML and messages: both ways along the message's descriptor. Owns nothing; stateless.
#include "services/cli/rule_document.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "libs/status/status_macros.h"

namespace davit::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxDocumentBytes = size_t{1} << 20;
// Aliases may name one node many times; this many values are read.
constexpr int kMaxValues = 100000;
// What the server sets.
constexpr const char* kServerFields[] = {"id", "project", "etag", "create_time", "update_time"};

bool IsServerField(const FieldDescriptor& field) {
  if (field.containing_type() != RuleSpec::descriptor()) return false;
  for (const absl::string_view name : kServerFields) {
    if (field.name() == name) return true;
  }
  return false;
}

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == google::protobuf::Duration::descriptor();
}

// The fields that a document shows: those with a value that a person may write.
std::vector<const FieldDescriptor*> ShownFields(const Message& message) {
  std::vector<const FieldDescriptor*> shown;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_empty = !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                          message.GetReflection()->GetMessage(message, field).ByteSizeLong() == 0;
    if (!is_empty && !IsServerField(*field)) shown.push_back(field);
  }
  return shown;
}

// An enumeration's value as documents show it: SUPERSEDE_POLICY_SKIP_QUEUED is skip_queued.
std::string EnumText(const google::protobuf::EnumValueDescriptor& value) {
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  absl::string_view name = value.name();
  absl::ConsumePrefix(&name, prefix + "_");
  return absl::AsciiStrToLower(name);
}

// Writing. Durations are whole seconds ("1h0m0s"), maps are sorted.

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void WriteMessage(const Message& message, YAML::Emitter& out);

void WriteMap(const Message& message, const FieldDescriptor& field, YAML::Emitter& out) {
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const Descriptor& type = *entry.GetDescriptor();
    sorted[entry.GetReflection()->GetString(entry, type.map_key())] =
        entry.GetReflection()->GetString(entry, type.map_value());
  }
  out << YAML::BeginMap;
  for (const auto& [key, value] : sorted) out << YAML::Key << key << YAML::Value << value;
  out << YAML::EndMap;
}

void WriteList(const Message& message, const FieldDescriptor& field, YAML::Emitter& out) {
  const Reflection& reflection = *message.GetReflection();
  out << YAML::BeginSeq;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      WriteMessage(reflection.GetRepeatedMessage(message, &field, i), out);
    } else {
      out << reflection.GetRepeatedString(message, &field, i);
    }
  }
  out << YAML::EndSeq;
}

void WriteValue(const Message& message, const FieldDescriptor& field, YAML::Emitter& out) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_map()) {
    WriteMap(message, field, out);
  } else if (field.is_repeated()) {
    WriteList(message, field, out);
  } else if (IsDuration(field)) {
    google::protobuf::Duration duration;
    duration.CopyFrom(reflection.GetMessage(message, &field));
    out << absl::FormatDuration(ToDuration(duration));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    WriteMessage(reflection.GetMessage(message, &field), out);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    out << reflection.GetBool(message, &field);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    out << reflection.GetInt32(message, &field);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    out << EnumText(*reflection.GetEnum(message, &field));
  } else {
    out << reflection.GetString(message, &field);
  }
}

void WriteMessage(const Message& message, YAML::Emitter& out) {
  out << YAML::BeginMap;
  for (const FieldDescriptor* field : ShownFields(message)) {
    out << YAML::Key << field->name() << YAML::Value;
    WriteValue(message, *field, out);
  }
  out << YAML::EndMap;
}

// A document says only that a rule is disabled, which proto3 does not list as a field: absent means enabled.
void WriteRule(const RuleSpec& rule, YAML::Emitter& out) {
  out << YAML::BeginMap;
  for (const FieldDescriptor* field : ShownFields(rule)) {
    if (field->number() == RuleSpec::kEnabledFieldNumber) continue;
    out << YAML::Key << field->name() << YAML::Value;
    WriteValue(rule, *field, out);
  }
  if (!rule.enabled()) out << YAML::Key << "enabled" << YAML::Value << false;
  out << YAML::EndMap;
}

// Reading.

// Where in the document something is wrong.
absl::Status Wrong(const YAML::Node& node, absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", node.Mark().line + 1, ": ", path, ": ", what));
}

// Reads one document; counts values so that aliases cannot multiply them.
class Reader {
 public:
  absl::Status ReadMessage(const YAML::Node& node, const std::string& path, Message& message) {
    if (!node.IsMap()) return Wrong(node, path, "a mapping of field names to values is expected");
    std::set<std::string> seen;
    for (const auto& pair : node) {
      const std::string name = pair.first.IsScalar() ? pair.first.Scalar() : "";
      const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
      const std::string field_path = absl::StrCat(path, ".", name);
      if (field == nullptr || IsServerField(*field)) {
        return Wrong(pair.first, path, absl::StrCat("no field \"", name, "\"; accepted: ", FieldNames(message)));
      }
      if (!seen.insert(name).second) return Wrong(pair.first, field_path, "is there twice");
      DAVIT_RETURN_IF_ERROR(ReadField(pair.second, field_path, *field, message));
    }
    return absl::OkStatus();
  }

 private:
  static std::string FieldNames(const Message& message) {
    std::string names;
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      if (!IsServerField(field)) absl::StrAppend(&names, names.empty() ? "" : ", ", field.name());
    }
    return names;
  }

  absl::StatusOr<std::string> ReadScalar(const YAML::Node& node, const std::string& path) {
    if (++values_ > kMaxValues) return Wrong(node, path, "the document has too many values");
    if (!node.IsScalar()) return Wrong(node, path, "one value is expected");
    return node.Scalar();
  }

  absl::Status ReadField(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                         Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (node.IsNull()) return absl::OkStatus();
    if (field.is_map()) return ReadMap(node, path, field, message);
    if (field.is_repeated()) return ReadList(node, path, field, message);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsDuration(field)) {
      return ReadMessage(node, path, *reflection.MutableMessage(&message, &field));
    }
    DAVIT_ASSIGN_OR_RETURN(std::string text, ReadScalar(node, path));
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return ReadDuration(node, path, text, *reflection.MutableMessage(&message, &field));
      case FieldDescriptor::CPPTYPE_BOOL:
        if (text != "true" && text != "false") return Wrong(node, path, "true or false is expected");
        reflection.SetBool(&message, &field, text == "true");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_INT32: {
        int32_t number = 0;
        if (!absl::SimpleAtoi(text, &number)) return Wrong(node, path, "a whole number is expected");
        reflection.SetInt32(&message, &field, number);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        return ReadEnum(node, path, text, field, message);
      default:
        reflection.SetString(&message, &field, std::move(text));
        return absl::OkStatus();
    }
  }

  absl::Status ReadList(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                        Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (!node.IsSequence()) return Wrong(node, path, "a list is expected");
    for (const YAML::Node& item : node) {
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const std::string item_path = absl::StrCat(path, "[", reflection.FieldSize(message, &field), "]");
        DAVIT_RETURN_IF_ERROR(ReadMessage(item, item_path, *reflection.AddMessage(&message, &field)));
        continue;
      }
      DAVIT_ASSIGN_OR_RETURN(std::string text, ReadScalar(item, path));
      reflection.AddString(&message, &field, std::move(text));
    }
    return absl::OkStatus();
  }

  static absl::Status ReadEnum(const YAML::Node& node, const std::string& path, const std::string& text,
                               const FieldDescriptor& field, Message& message) {
    std::string accepted;
    // The first value is the unspecified one.
    for (int i = 1; i < field.enum_type()->value_count(); ++i) {
      const google::protobuf::EnumValueDescriptor* value = field.enum_type()->value(i);
      if (EnumText(*value) == text) {
        message.GetReflection()->SetEnum(&message, &field, value);
        return absl::OkStatus();
      }
      absl::StrAppend(&accepted, accepted.empty() ? "" : ", ", EnumText(*value));
    }
    return Wrong(node, path, absl::StrCat("accepted: ", accepted));
  }

  absl::Status ReadMap(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                       Message& message) {
    if (!node.IsMap()) return Wrong(node, path, "a mapping of names to values is expected");
    std::set<std::string> seen;
    for (const auto& pair : node) {
      DAVIT_ASSIGN_OR_RETURN(std::string key, ReadScalar(pair.first, path));
      DAVIT_ASSIGN_OR_RETURN(std::string value, ReadScalar(pair.second, absl::StrCat(path, ".", key)));
      if (!seen.insert(key).second) return Wrong(pair.first, path, absl::StrCat("\"", key, "\" is there twice"));
      Message& entry = *message.GetReflection()->AddMessage(&message, &field);
      entry.GetReflection()->SetString(&entry, entry.GetDescriptor()->map_key(), std::move(key));
      entry.GetReflection()->SetString(&entry, entry.GetDescriptor()->map_value(), std::move(value));
    }
    return absl::OkStatus();
  }

  static absl::Status ReadDuration(const YAML::Node& node, const std::string& path, const std::string& text,
                                   Message& message) {
    absl::Duration duration;
    if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
      return Wrong(node, path, "a time such as 90s, 30m or 1h30m is expected");
    }
    google::protobuf::Duration read;
    read.set_seconds(absl::ToInt64Seconds(duration));
    message.CopyFrom(read);
    return absl::OkStatus();
  }

  int values_ = 0;
};

// Throws what yaml-cpp throws.
absl::StatusOr<std::vector<RuleSpec>> ReadDocument(const std::string& text) {
  const YAML::Node document = YAML::Load(text);
  if (!document.IsMap() || document.size() != 1 || !document["rules"] || !document["rules"].IsSequence()) {
    return absl::InvalidArgumentError("line 1: a mapping with one key \"rules\" that holds a list is expected");
  }
  std::vector<RuleSpec> rules;
  std::set<std::string> names;
  Reader reader;
  for (const YAML::Node& node : document["rules"]) {
    const std::string path = absl::StrCat("rules[", rules.size(), "]");
    RuleSpec rule;
    rule.set_enabled(true);
    DAVIT_RETURN_IF_ERROR(reader.ReadMessage(node, path, rule));
    if (rule.display_name().empty()) return Wrong(node, absl::StrCat(path, ".display_name"), "is required");
    if (!names.insert(rule.display_name()).second) {
      return Wrong(node, absl::StrCat(path, ".display_name"),
                   absl::StrCat("\"", rule.display_name(), "\" is the name of an earlier rule too"));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

// One field of a rule as YAML; empty when it has none.
std::string WriteField(const RuleSpec& rule, const FieldDescriptor& field) {
  if (field.name() == "enabled") return absl::StrCat("enabled: ", rule.enabled() ? "true" : "false");
  for (const FieldDescriptor* candidate : ShownFields(rule)) {
    if (candidate != &field) continue;
    YAML::Emitter out;
    out << YAML::BeginMap << YAML::Key << field.name() << YAML::Value;
    WriteValue(rule, field, out);
    out << YAML::EndMap;
    return out.c_str();
  }
  return "";
}

void AppendLines(absl::string_view mark, const std::string& text, std::string& to) {
  if (text.empty()) return;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) absl::StrAppend(&to, mark, line, "\n");
}

}  // namespace

std::string WriteRules(const std::vector<RuleSpec>& rules) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "rules" << YAML::Value << YAML::BeginSeq;
  for (const RuleSpec& rule : rules) WriteRule(rule, out);
  out << YAML::EndSeq << YAML::EndMap;
  return absl::StrCat(out.c_str(), "\n");
}

absl::StatusOr<std::vector<RuleSpec>> ReadRules(const std::string& text) {
  if (text.size() > kMaxDocumentBytes) return absl::InvalidArgumentError("the document is larger than 1 MiB");
  try {
    return ReadDocument(text);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("line ", error.mark.line + 1, ": no YAML: ", error.msg));
  }
}

RuleSpec StripServerFields(const RuleSpec& rule) {
  RuleSpec stripped = rule;
  for (const char* name : kServerFields) {
    stripped.GetReflection()->ClearField(&stripped, RuleSpec::descriptor()->FindFieldByName(name));
  }
  return stripped;
}

std::string DescribeDifference(const RuleSpec& current, const RuleSpec& wanted, std::vector<std::string>& fields) {
  std::string text;
  for (int i = 0; i < RuleSpec::descriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *RuleSpec::descriptor()->field(i);
    if (IsServerField(field)) continue;
    const std::string before = WriteField(current, field);
    const std::string after = WriteField(wanted, field);
    if (before == after) continue;
    fields.push_back(field.name());
    AppendLines("- ", before, text);
    AppendLines("+ ", after, text);
  }
  return text;
}

}  // namespace davit::cli
