#include "media/gst/control_queue.h"

#include <utility>

namespace media::gst {
namespace {

bool may_be_lost(const ControlCommand& command) {
  return std::holds_alternative<OpenLegCommand>(command) ||
         std::holds_alternative<AddCandidatesCommand>(command) ||
         std::holds_alternative<RestartIceCommand>(command) ||
         std::holds_alternative<PlayCommand>(command) ||
         std::holds_alternative<PausePlayCommand>(command) ||
         std::holds_alternative<SeekPlayCommand>(command) ||
         std::holds_alternative<PrepareRecordCommand>(command) ||
         std::holds_alternative<TickEventCommand>(command) ||
         std::holds_alternative<ComplexityChangedCommand>(command);
}

}  // namespace

bool ControlQueue::push(ControlCommand command) {
  {
    const MutexLock lock(mutex_);
    if (commands_.size() >= capacity_ && may_be_lost(command)) return false;
    if (auto* plan = std::get_if<SetPlanCommand>(&command)) {
      const auto [entry, fresh] = plans_.try_emplace(plan->room);
      entry->second = std::move(plan->plan);
      if (!fresh) return true;
      plan->plan = {};
    } else if (const auto* error = std::get_if<PipelineErrorCommand>(&command)) {
      if (!errors_.emplace(error->room, error->leg).second) return true;
    }
    commands_.push_back(std::move(command));
  }
  changed_.notify_one();
  return true;
}

void ControlQueue::stop() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
}

std::optional<ControlCommand> ControlQueue::wait(TimePoint until) {
  const MutexLock lock(mutex_);
  const auto passed = [until] { return std::chrono::steady_clock::now() >= until; };
  while (commands_.empty() && !stopped_ && !passed()) changed_.wait_until(mutex_, until);
  if (passed()) return TimePassedCommand{};
  if (commands_.empty()) return std::nullopt;
  auto command = std::move(commands_.front());
  commands_.pop_front();
  if (auto* plan = std::get_if<SetPlanCommand>(&command)) {
    plan->plan = std::move(plans_.extract(plan->room).mapped());
  } else if (const auto* error = std::get_if<PipelineErrorCommand>(&command)) {
    errors_.erase({error->room, error->leg});
  }
  return command;
}

}  // namespace media::gst
