// coin-watch: what the focus of a call says of its conference (XEP-0298), as it says it. A caller
// like jingle-call's; what it shows is tools/call/coin_log.h.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "tools/call/callers.h"
#include "tools/call/coin_log.h"

namespace {

using namespace std::chrono_literals;

// Lines that scroll, and under them, on a terminal, a table that is drawn anew.
class Screen {
 public:
  explicit Screen(bool redraw) : redraw_(redraw) {}

  call::Page page() const {
    winsize size{};
    if (!redraw_ || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 4) return {};
    return {.columns = size.ws_col, .rows = size.ws_row - 1u};
  }
  void show(const std::vector<std::string>& lines, const std::string& table) {
    if (redraw_ && drawn_ > 0) std::cout << "\x1b[" << drawn_ << "A\x1b[J";
    for (const auto& line : lines) std::cout << line << '\n';
    if (redraw_ || table != table_) std::cout << table;
    std::cout.flush();
    table_ = table;
    drawn_ = std::count(table.begin(), table.end(), '\n');
  }
  const std::string& table() const { return table_; }

 private:
  const bool redraw_;
  std::string table_;
  std::ptrdiff_t drawn_ = 0;
};

// Who talks changes without any document.
class Redraw : public mixer::EventSource {
 public:
  explicit Redraw(std::function<void()> draw) : draw_(std::move(draw)) {}
  std::optional<call::TimePoint> deadline() const override { return at_; }
  void on_ready(short, call::TimePoint now) override {
    at_ = now + 200ms;
    draw_();
  }

 private:
  const std::function<void()> draw_;
  call::TimePoint at_{};
};

int run(const call::Options& options) {
  const bool redraw = options.redraw && isatty(STDOUT_FILENO) == 1;
  Screen screen(redraw);
  call::CoinLog log(options.raw);
  call::Callers* heard = nullptr;
  const auto table = [&] { return log.table(heard->talking(1), screen.page()); };
  call::Callers callers(options, true, [&](int, double t, call::TimePoint, const call::Tell& tell) {
    const auto lines = log.on(t, tell);
    if (lines.empty()) return;
    const bool plain_news = !redraw && tell.event != "document";
    screen.show(lines, plain_news ? screen.table() : table());
  });
  heard = &callers;
  Redraw redrawing([&] {
    if (auto now = table(); now != screen.table()) screen.show({}, now);
  });
  if (redraw) callers.add(&redrawing);
  return callers.run();
}

}  // namespace

int main(int argc, char** argv) {
  return call::run_program(call::Program::coin_watch, argc, argv, run);
}
