// tests/media_gst/ice_side.h: ICE agents on a context that the test turns itself: no thread, no
// waiting.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "media/gst/gst_ptr.h"
#include "media/gst/ice_agent.h"
#include "tests/support/eventually.h"

namespace media::gst {

class Side : public IceAgent::Observer {
 public:
  Side(GMainContext* context, bool controlling, IceConfig config)
      : config_(std::move(config)), agent(context, config_, controlling, 1, *this) {}
  void ice_candidates(std::vector<IceCandidate> found) override {
    candidates.insert(candidates.end(), found.begin(), found.end());
  }
  void ice_connected(int) override { connected++; }
  void ice_failed(int) override { failed++; }
  void ice_learned() override {}
  void ice_heard() override { heard++; }
  void ice_received(int, std::span<std::uint8_t> datagram) override {
    received.emplace_back(datagram.begin(), datagram.end());
  }

 private:
  IceConfig config_;

 public:
  IceAgent agent;
  std::vector<IceCandidate> candidates;
  std::vector<std::vector<std::uint8_t>> received;
  int connected = 0, failed = 0, heard = 0;
};

class TurnedByHand : public testing::Test {
 protected:
  TurnedByHand() : context_(g_main_context_new()) { io_thread.assert_here(); }
  void turn() {
    while (g_main_context_iteration(context_.get(), FALSE)) {
    }
  }
  bool turn_until(const std::function<bool()>& condition) {
    return support::eventually([&] {
      turn();
      return condition();
    });
  }
  ContextPtr context_;
  const IceConfig loopback_{.addresses = {"127.0.0.1"}};
};

}  // namespace media::gst
