// Tests of making and reading the installation's secrets.
#include "services/standalone/installation_secrets.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "gtest/gtest.h"
#include "libs/crypto/key_ring.h"

namespace davit::standalone {
namespace {

class InstallationSecretsTest : public ::testing::Test {
 protected:
  InstallationSecretsTest() {
    char path[] = "/tmp/dvtXXXXXX";
    path_ = mkdtemp(path);
    data_dir_ = DataDir::Open(path_).value();
  }
  ~InstallationSecretsTest() override {
    data_dir_.reset();
    std::filesystem::remove_all(path_);
  }
  std::string path_;
  std::unique_ptr<DataDir> data_dir_;
  SystemRandom random_;
};

TEST_F(InstallationSecretsTest, AreMadeOnceAndAllDiffer) {
  auto first = LoadInstallationSecrets(*data_dir_, random_);
  ASSERT_TRUE(first.ok()) << first.status();
  std::set<std::string> texts = {first->admin_token.Reveal(),         first->agent_token.Reveal(),
                                 first->gateway_token.Reveal(),       first->rule_engine_token.Reveal(),
                                 first->scheduler_token.Reveal(),     first->registry_password.Reveal(),
                                 first->registry_http_secret.Reveal()};
  EXPECT_EQ(texts.size(), 7u);
  for (const std::string& text : texts) EXPECT_GE(text.size(), 43u);
  auto second = LoadInstallationSecrets(*data_dir_, random_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->admin_token.Reveal(), first->admin_token.Reveal());
  EXPECT_TRUE(crypto::KeyRing::FromFile(first->key_file).ok());
}

TEST_F(InstallationSecretsTest, FilesAreReadableByTheirOwnerOnly) {
  auto secrets = LoadInstallationSecrets(*data_dir_, random_);
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  for (const std::string& path : {secrets->key_file, secrets->bootstrap_tokens_file, secrets->admin_token_file}) {
    struct stat info = {};
    ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 07777, 0600u) << path;
  }
  EXPECT_EQ(ReadFile(secrets->admin_token_file).value(), secrets->admin_token.Reveal() + "\n");
}

}  // namespace
}  // namespace davit::standalone
