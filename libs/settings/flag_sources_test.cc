// Tests of flag_sources.h.
#include "libs/settings/flag_sources.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, color, "red", "A flag to set.");
ABSL_FLAG(std::vector<std::string>, hosts, {}, "A flag with several values.");
ABSL_FLAG(absl::Duration, patience, absl::Seconds(1), "A flag whose values can be wrong.");

namespace davit::settings {
namespace {

class FlagSourcesTest : public testing::Test {
 protected:
  absl::Status Read(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    arguments.insert(arguments.begin(), "program");
    return ReadFlags(static_cast<int>(arguments.size()), Pointers(arguments).data(), Pointers(environment).data());
  }

  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  std::string File(const std::string& text) {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/config.yaml";
    std::ofstream(path) << text;
    return path;
  }

  absl::FlagSaver saver_;
};

TEST_F(FlagSourcesTest, TheCommandLineGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  const std::string file = File("color: from-file\npatience: 2s\nhosts: [a:1, 10.0.0.0/8]\n");
  ASSERT_TRUE(Read({"--config_file=" + file}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_color), "from-file");
  EXPECT_EQ(absl::GetFlag(FLAGS_hosts), (std::vector<std::string>{"a:1", "10.0.0.0/8"}));
  ASSERT_TRUE(Read({}, {"DAVIT_CONFIG_FILE=" + file, "DAVIT_COLOR=from-environment", "DAVIT_PATIENCE="}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_color), "from-environment");
  EXPECT_EQ(absl::GetFlag(FLAGS_patience), absl::Seconds(2));
  ASSERT_TRUE(Read({"--config-file", file, "--color=from-command-line"}, {"DAVIT_COLOR=x"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_color), "from-command-line");
}

TEST_F(FlagSourcesTest, EveryWrongLineOfTheFileIsNamed) {
  const std::string file =
      File("colour: red\n\npatience: soon\nhosts: {a: b}\ncolor: a\ncolor: b\ncheck_config: true\n");
  const absl::Status status = Read({"--config_file=" + file});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::string message(status.message());
  EXPECT_NE(message.find(file + ":1: unknown key \"colour\"; did you mean color?"), std::string::npos) << message;
  EXPECT_NE(message.find(file + ":3: "), std::string::npos) << message;
  EXPECT_NE(message.find(file + ":4: hosts: write one value, or a list of values"), std::string::npos) << message;
  EXPECT_NE(message.find(file + ":6: color: is there twice"), std::string::npos) << message;
  EXPECT_NE(message.find(file + ":7: unknown key \"check_config\""), std::string::npos) << message;
}

TEST_F(FlagSourcesTest, AFileThatIsNoneIsNamed) {
  EXPECT_NE(Read({"--config_file=/nowhere/config"}).message().find("/nowhere/config"), std::string::npos);
  EXPECT_NE(Read({"--config_file=" + File("color: [")}).message().find("config.yaml:"), std::string::npos);
  EXPECT_NE(Read({"--config_file=" + File("- color")}).message().find("name: value"), std::string::npos);
  EXPECT_TRUE(Read({"--config_file=" + File("# nothing\n")}).ok());
}

TEST_F(FlagSourcesTest, AVariableThatIsNearlyAFlagsIsAnErrorAndOthersAreNot) {
  EXPECT_EQ(Read({}, {"DAVIT_COLOUR=red"}).message(),
            "the environment's DAVIT_COLOUR is no flag's variable; did you mean DAVIT_COLOR?");
  EXPECT_TRUE(Read({}, {"DAVIT_SOMETHING_ELSE=1", "PATH=/bin"}).ok());
  EXPECT_NE(Read({}, {"DAVIT_PATIENCE=soon"}).message().find("DAVIT_PATIENCE: "), std::string::npos);
}

TEST_F(FlagSourcesTest, AnUnknownFlagIsNamedWithTheNearest) {
  EXPECT_EQ(Read({"--colour=red"}).message(), "unknown flag --colour; did you mean --color?");
  EXPECT_EQ(Read({"--nothing"}).message(), "unknown flag --nothing");
}

TEST_F(FlagSourcesTest, OnlyFlagsAreTaken) {
  EXPECT_EQ(Read({"serve"}).message(), "unexpected argument \"serve\": this program takes flags only, see --help");
}

TEST_F(FlagSourcesTest, OnlyOurOwnFlagsAreSet) {
  EXPECT_TRUE(IsOwnFlag("services/scheduler/main.cc"));
  EXPECT_TRUE(IsOwnFlag("libs/rpc/service_flags.cc"));
  EXPECT_FALSE(IsOwnFlag("/usr/include/absl/flags/parse.cc"));
}

}  // namespace
}  // namespace davit::settings
