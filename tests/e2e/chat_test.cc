// What a room says by chat, and to whom, through a real server.
#include "tests/e2e/chat.h"

#include <gtest/gtest.h>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";

// Both only chat: nobody has heard of their clients before.
TEST(Chatting, APersonIsAnsweredAndAProgramIsNot) {
  REQUIRE_PROSODY();
  if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Contact robot(prosody, "bob", true), ann(prosody, "ann");
  const auto receipts = [&robot](std::size_t wanted) {
    robot.say("receipt " + std::string(kRoom));
    return support::eventually(
        [&] {
          return robot
                     .events([](const call::Json& event) {
                       return event["event"].string() == "receipt";
                     })
                     .size() >= wanted;
        },
        kWait);
  };
  robot.say("say " + std::string(kRoom) + " help");
  // What follows the question that it was asked comes after it, and so do the answers.
  EXPECT_TRUE(receipts(1)) << robot.output();
  EXPECT_TRUE(receipts(2)) << robot.output();
  Chat chat(ann, kRoom);
  chat.say("who");
  chat.hears("Call this address first.");
  EXPECT_TRUE(receipts(3)) << robot.output();
  EXPECT_EQ(robot.output().find("\"chat\""), std::string::npos) << robot.output();
}

}  // namespace
}  // namespace e2e
