// Who asks whether the machine had no CPU must be told so.
#include "tests/support/starvation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/support/eventually.h"

namespace support {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Starvation, WhatAHypervisorTookIsReadOfEachCore) {
  ASSERT_EQ(sysconf(_SC_CLK_TCK), 100);
  EXPECT_THAT(stolen_of_cores("cpu  8 1 3 4 5 6 7 330 0 0\n"
                              "cpu0 4 0 1 2 3 4 5 120 0 0\n"
                              "cpu11 4 1 2 2 2 2 2 210 0 0\n"
                              "intr 1 2 3 4 5 6 7 8 9\n"),
              ElementsAre(1200ms, 2100ms));
  EXPECT_THAT(stolen_of_cores("cpu0 4 0 1 2 3 4 5\n"), IsEmpty()) << "too old a kernel";
}

TEST(Starvation, ThreadsThatAreTooManyAreSeenToWait) {
  const Starvation starvation;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::jthread> busy;
  for (unsigned i = 0; i < 8 * std::thread::hardware_concurrency(); ++i) {
    busy.emplace_back([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
      }
    });
  }
  EXPECT_TRUE(
      eventually([&] { return starvation.between(begun, std::chrono::steady_clock::now()); }, 30s));
}

}  // namespace
}  // namespace support
