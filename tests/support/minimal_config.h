// tests/support/minimal_config.h: the smallest configuration, and what is wrong with it and more.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "mixer/config.h"

namespace test {

inline constexpr char kMinimal[] = R"([xmpp]
mode = "component"
jid = "mixer.localhost"
password = "secret"
host = "127.0.0.1"
port = 5347
[media]
addresses = ["127.0.0.1"]
)";

inline std::vector<std::string> lines(const mixer::ConfigResult& result) {
  std::vector<std::string> all;
  for (const auto& problem : result.problems) all.push_back(to_string(problem, "m.toml"));
  return all;
}

// The minimal configuration with `more` at its end; what is wrong with it.
inline std::vector<std::string> problems(const std::string& more) {
  return lines(mixer::parse_config(kMinimal + more, "m.toml"));
}
inline mixer::Config good(const std::string& more) {
  const auto result = mixer::parse_config(kMinimal + more, "m.toml");
  EXPECT_THAT(lines(result), testing::IsEmpty()) << more;
  return result.config;
}

}  // namespace test
