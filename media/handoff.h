// media/handoff.h: nodes handed from any threads to one, without a lock: pushed one by one, taken
// all at once, in the order in which they were pushed. Nothing is allocated here and nothing can be
// full: whoever pushes brings the node.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace media {

// Node has a member `Node* next`. What is never taken is deleted by the destructor.
template <class Node>
class Handoff {
 public:
  Handoff() = default;
  Handoff(const Handoff&) = delete;
  Handoff& operator=(const Handoff&) = delete;
  ~Handoff() {
    drain([](std::unique_ptr<Node>) {});
  }

  // Any thread.
  void push(std::unique_ptr<Node> owned) {
    Node* const node = owned.release();
    node->next = newest_.load(std::memory_order_relaxed);
    while (!newest_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
  }

  // One thread at a time. Calls take(std::unique_ptr<Node>) for each, oldest first.
  template <class Take>
  void drain(Take take) {
    Node* node = newest_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (node != nullptr) {
      Node* const next = std::exchange(node->next, oldest);
      oldest = node;
      node = next;
    }
    while (oldest != nullptr) {
      Node* const next = std::exchange(oldest->next, nullptr);
      take(std::unique_ptr<Node>(oldest));
      oldest = next;
    }
  }

 private:
  std::atomic<Node*> newest_{nullptr};
};

}  // namespace media
