#include "tools/call/json.h"

#include <gtest/gtest.h>

#include <random>

namespace call {
namespace {

Json random_value(std::mt19937& random, int depth) {
  switch (random() % (depth > 3 ? 4 : 6)) {
    case 0: return {};
    case 1: return random() % 2 == 0;
    case 2: return static_cast<double>(static_cast<int>(random() % 2000) - 1000) / 8;
    case 3: {
      std::string text;
      for (unsigned i = random() % 8; i > 0; --i)
        text += "a\"\\/\n\t\x01\xC3\xA9 {}[],:"[random() % 17];
      return text;
    }
    case 4: {
      Json::Array elements;
      for (unsigned i = random() % 4; i > 0; --i)
        elements.push_back(random_value(random, depth + 1));
      return elements;
    }
    default: {
      Json::Object members;
      for (unsigned i = random() % 4; i > 0; --i) {
        members.emplace_back("m" + std::to_string(i), random_value(random, depth + 1));
      }
      return members;
    }
  }
}

TEST(Json, ParsingWhatWasWrittenGivesTheSame) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const Json value = random_value(random, 0);
    EXPECT_EQ(Json::parse(value.str()), value) << value.str();
  }
}

TEST(Json, IsWrittenOnOneLineInOrder) {
  const Json value = Json::Object{{"b", 1}, {"a", Json::Array{true, Json(), 0.5, "x\ny"}}};
  EXPECT_EQ(value.str(), R"({"b":1,"a":[true,null,0.500000,"x\ny"]})");
}

TEST(Json, WhatIsNotThereIsNull) {
  const auto value = Json::parse(R"( { "a" : [ 1 , "\u00e9" ] } )");
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["a"][1].string(), "é");
  EXPECT_TRUE((*value)["b"]["c"][7].is_null());
  EXPECT_EQ((*value)["a"].size(), 2U);
}

TEST(Json, MalformedTextIsNoValue) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\"}", "\"a", "1 2", "tru", "[1}", "\"\\x\"", "{,}"}) {
    EXPECT_FALSE(Json::parse(text)) << text;
  }
  EXPECT_FALSE(Json::parse(std::string(1000, '[')));
}

}  // namespace
}  // namespace call
