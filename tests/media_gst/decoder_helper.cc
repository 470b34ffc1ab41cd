// This test program as the decoder and the fetcher that the engine starts: before anything else is
// set up. And as ones that have been taken over by what they read: TAKEN_OVER says what they do; as
// one that is slow to listen, if LISTENS_LATE says so; and as a tracer.
#include <gst/gst.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "media/audio_frame.h"
#include "media/gst/child_main.h"
#include "media/gst/decoder_messages.h"
#include "media/gst/fetcher_messages.h"

namespace media::gst {
namespace {

template <class Kind>
void say(Kind kind, std::string_view bytes = {}) {
  say_to_parent(static_cast<std::uint32_t>(kind), bytes.data(), bytes.size());
}

[[noreturn]] void rest() {
  for (;;) pause();
}

void say_started() {
  say(DecoderKind::started, std::string(sizeof(DecoderStarted), '\0') + "\n\n\n");
}

// A byte ten times a second, of a message that is to have thousands.
[[noreturn]] void dribble() {
  const ChildHeader header{0, kMaxChildMessageBytes};
  (void)!write(kChildMessages_fd, &header, sizeof header);
  for (;;) {
    poll(nullptr, 0, 100);
    if (write(kChildMessages_fd, "", 1) != 1) _exit(0);
  }
}

[[noreturn]] void give_titles_without_end(bool decodes) {
  if (decodes) {
    say_started();
    rest();
  }
  say(FetcherKind::station, "Radio Test");
  // So many at once that there is always another one.
  const ChildHeader header{static_cast<std::uint32_t>(FetcherKind::title), 1};
  std::string titles;
  for (int i = 0; i < 7000; ++i) {
    titles.append(reinterpret_cast<const char*>(&header), sizeof header) += i % 2 == 0 ? 'A' : 'B';
  }
  while (write(kChildMessages_fd, titles.data(), titles.size()) > 0) {
  }
  _exit(0);
}

// Hundreds of them with each 20 ms of sound; and in the end one that stays.
[[noreturn]] void give_tags() {
  say_started();
  const std::string sound(sizeof(std::int16_t) * 2 * kFrame_samples, '\1');
  for (int frame = 0;; ++frame) {
    for (int i = 0; i < 200 && frame < 500; ++i) {
      for (const char* title : {"A\n\n\n", "B\n\n\n"}) say(DecoderKind::tags, title);
    }
    say(DecoderKind::tags, frame < 500 ? "C\n\n\n" : "The last\n\n\n");
    say(DecoderKind::sound, sound);
  }
}

void serve_taken_over(const char* argument, std::string_view how) {
  const bool decodes = std::strcmp(argument, kDecoderArgument) == 0;
  if (!decodes && std::strcmp(argument, kFetcherArgument) != 0) return;
  if (how == "dribbling") dribble();
  if (how == "titles") give_titles_without_end(decodes);
  if (how == "tags") give_tags();
}

// decodebin waits, the first time, with what makes a demuxer wait for it until that has given up.
void wait_for_giving_up(GstDebugCategory*, GstDebugLevel, const gchar*, const gchar* function, gint,
                        GObject*, GstDebugMessage* message, gpointer) {
  static std::atomic_flag late;
  static std::counting_semaphore<> given_up(0);
  const std::string_view in = function, text = gst_debug_message_get(message);
  if (in == "expose_pad" && !late.test_and_set()) {
    (void)given_up.try_acquire_for(std::chrono::seconds(10));
  } else if (in == "gst_aiff_parse_loop" && text == "pausing task, reason not-linked") {
    given_up.release();
  }
}

void listen_late() {
  gst_debug_remove_log_function(nullptr);
  gst_debug_add_log_function(&wait_for_giving_up, nullptr, nullptr);
  for (const char* part : {"decodebin", "aiffparse"}) {
    gst_debug_set_threshold_for_name(part, GST_LEVEL_DEBUG);
  }
}

// Until this process ends, nobody learns of the other's end.
[[noreturn]] void trace(int pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) {
    std::perror("ptrace");
    _exit(1);
  }
  (void)!write(STDOUT_FILENO, "traced\n", 7);
  rest();
}

[[gnu::constructor]] void serve_if_asked(int argc, char** argv, char**) {
  if (argc == 3 && std::strcmp(argv[1], "--trace") == 0) trace(std::atoi(argv[2]));
  const char* const taken_over = std::getenv("TAKEN_OVER");
  if (argc > 1 && taken_over) serve_taken_over(argv[1], taken_over);
  if (std::getenv("LISTENS_LATE")) listen_late();
  if (const auto child = child_main(argc, argv)) _exit(*child);
}

}  // namespace
}  // namespace media::gst
