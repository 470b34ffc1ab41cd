// tests/e2e/chat.h: a contact's chat with a room, as people would write it down.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/e2e/contact.h"
#include "tests/support/eventually.h"

namespace e2e {

class Chat {
 public:
  Chat(Contact& contact, std::string with) : contact_(contact), with_(std::move(with)) {}

  void say(const std::string& text) {
    contact_.say("say " + with_ + ' ' + text);
    transcript_.append("ann> ").append(text).append("\n");
  }
  // The next thing that it says is that.
  void hears(const std::string& text) {
    if (next() == text) return;
    ADD_FAILURE() << "not " << text << ":\n" << transcript_;
  }
  std::string next() {
    const auto all = [&] {
      return contact_.events(
          [](const call::Json& event) { return event["event"].string() == "chat"; });
    };
    if (!support::eventually([&] { return all().size() > heard_; }, kWait)) {
      ADD_FAILURE() << "no answer:\n" << transcript_ << contact_.output();
      return "";
    }
    std::string text = all()[heard_++]["text"].string();
    transcript_ += "     " + text + "\n";
    return text;
  }
  const std::string& transcript() const { return transcript_; }

 private:
  Contact& contact_;
  std::string with_, transcript_;
  std::size_t heard_ = 0;
};

}  // namespace e2e
