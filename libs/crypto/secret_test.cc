// Tests of secret.h.
#include "libs/crypto/secret.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace davit::crypto {
namespace {

template <typename T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};
template <typename T>
concept Comparable = requires(const T& value) {
  value == value;
};

static_assert(!Printable<SecretString>);
static_assert(!Comparable<SecretString>);
static_assert(!std::is_convertible_v<std::string, SecretString>);
static_assert(!std::is_convertible_v<SecretString, std::string>);

TEST(SecretStringTest, RevealsItsTextOnlyWhenAsked) {
  EXPECT_EQ(SecretString("hush").Reveal(), "hush");
  EXPECT_TRUE(SecretString().empty());
}

TEST(SecretStringTest, LeavesNothingBehindWhenMoved) {
  SecretString source("hush");
  const char* const bytes = source.Reveal().data();  // Inside the object: the text is short.
  const SecretString target = std::move(source);
  EXPECT_EQ(target.Reveal(), "hush");
  EXPECT_EQ(std::string(bytes, 4), std::string(4, '\0'));
}

TEST(SecretStringTest, CopiesAndReplaces) {
  SecretString one("one");
  SecretString other = one;
  one = SecretString("a text that is too long to be stored inside the object");
  EXPECT_EQ(other.Reveal(), "one");
  other = one;
  EXPECT_EQ(other.Reveal(), one.Reveal());
}

TEST(WipeTest, OverwritesTheBytes) {
  std::string text = "secret";
  const char* const bytes = text.data();
  Wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(bytes, 6), std::string(6, '\0'));
}

}  // namespace
}  // namespace davit::crypto
