// A fetcher's and a decoder's ends of their pair of sockets, and what either does when the other
// has been taken over.
#include "media/gst/fetched_body.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "media/gst/child_process.h"
#include "tests/support/seed.h"

namespace media::gst {
namespace {

struct Sockets {
  Sockets() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    fetchers = Fd(ends[0]);
    decoders = Fd(ends[1]);
  }
  Fd fetchers, decoders;
};

std::string random_bytes(std::mt19937& random, std::size_t count) {
  std::string bytes(count, '\0');
  std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
  return bytes;
}

// Gives the body from wherever it is asked for, in parts of all sizes, until nobody wants it.
class Giver {
 public:
  Giver(Fd& fd, const std::string& body, unsigned seed)
      : thread_([this, fd = fd.get(), &body, seed] { run(fd, body, seed); }) {}
  // How many places were asked for. The decoder's end is closed.
  int end() {
    thread_.join();
    return places_;
  }

 private:
  void run(int fd, const std::string& body, unsigned seed) {
    using Decoder = BodyWriter::Decoder;
    std::signal(SIGPIPE, SIG_IGN);  // as fetchers do
    std::mt19937 random(seed);
    BodyWriter out(fd);
    out.begin({static_cast<std::int64_t>(body.size())});
    for (std::size_t at = 0;;) {
      const std::string_view part = std::string_view(body).substr(at, random() % 40000 + 1);
      Decoder decoder = part.empty() ? out.end() : out.write(part);
      if (decoder == Decoder::content && part.empty()) decoder = out.look(true);
      if (decoder == Decoder::gone) return;
      at += part.size();
      if (decoder == Decoder::asks) {
        at = out.go().offset;
        ++places_;
      }
    }
  }
  int places_ = 0;
  std::thread thread_;
};

TEST(FetchedBody, WhateverIsReadOfItInWhateverOrderIsOfThatPlace) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string body = random_bytes(random, 4000000 + random() % 100000);
  Sockets sockets;
  Giver giver(sockets.fetchers, body, random());
  BodyReader reader(sockets.decoders.get());
  ASSERT_EQ(reader.size(), static_cast<std::int64_t>(body.size()));
  std::uint64_t at = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto jump = random() % 10;
    if (jump == 0) at = random() % (body.size() + 100);
    if (jump == 1) at += random() % 100000;
    if (jump == 2) at -= std::min<std::uint64_t>(at, random() % 100000);
    if (jump == 3) at = body.size() - random() % 20000;
    std::string got(random() % (jump == 4 ? 300000 : 5000), '\0');
    const std::size_t count = reader.read(at, got);
    const std::string want = at < body.size() ? body.substr(at, got.size()) : "";
    ASSERT_EQ(count, want.size()) << at;
    got.resize(count);
    ASSERT_TRUE(got == want) << at;
    at += count;
  }
  sockets.decoders = Fd();
  giver.end();
}

TEST(FetchedBody, OnlyAPlaceFarAwayCostsARequest) {
  std::mt19937 random(1);
  const std::string body = random_bytes(random, 2000000);
  Sockets sockets;
  Giver giver(sockets.fetchers, body, 1);
  BodyReader reader(sockets.decoders.get());
  std::vector<char> part(1000);
  const auto read = [&](std::uint64_t at) {
    EXPECT_EQ(reader.read(at, part), part.size());
    EXPECT_EQ(std::string_view(part.data(), part.size()), body.substr(at, part.size()));
  };
  for (const std::uint64_t near : {0, 300000, 200000, 10000, 600000, 0}) read(near);
  for (const std::uint64_t far : {1999000, 1200000}) read(far);
  for (const std::uint64_t again : {0, 600000, 1999000, 1200000}) read(again);
  sockets.decoders = Fd();
  EXPECT_EQ(giver.end(), 2);
}

TEST(FetchedBody, OneThatIsReadOnceComesInItsOrderAndEnds) {
  Sockets sockets;
  BodyWriter out(sockets.fetchers.get());
  ASSERT_TRUE(out.begin({}));
  const std::string body(40000, 'a');
  EXPECT_EQ(out.write(body), BodyWriter::Decoder::content);
  EXPECT_EQ(out.end(), BodyWriter::Decoder::content);
  BodyReader reader(sockets.decoders.get());
  EXPECT_EQ(reader.size(), -1);
  std::size_t had = 0;
  for (auto part = reader.next(); !part.empty(); part = reader.next()) had += part.size();
  EXPECT_EQ(had, body.size());
  EXPECT_EQ(out.look(), BodyWriter::Decoder::content) << "no place of it was asked for";
}

TEST(FetchedBody, AFetcherThatHasBeenTakenOverCanOnlyGiveBytesOrTooFew) {
  const auto sent = [](const Sockets& sockets, std::string_view bytes) {
    EXPECT_EQ(write(sockets.fetchers.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  };
  const auto packet = [](const auto& header, std::string_view bytes = {}) {
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(bytes);
  };
  std::vector<char> part(100000);
  // Its last packets, and how much can be read.
  const std::pair<std::vector<std::string>, std::size_t> all[] = {
      {{}, 0},
      {{"a"}, 0},
      {{packet(FetchedSize{50000})}, 0},
      {{packet(FetchedSize{50000}), "a"}, 0},
      {{packet(FetchedSize{50000}), packet(FetchedHeader{0})}, 0},
      {{packet(FetchedSize{50000}), packet(FetchedHeader{7}, "old")}, 0},
      {{packet(FetchedSize{50000}), packet(FetchedHeader{0}, "abc")}, 3},
      {{packet(FetchedSize{INT64_MAX}), packet(FetchedHeader{0}, "abc")}, 3},
      {{packet(FetchedSize{INT64_MIN}), packet(FetchedHeader{0}, "abc")}, 0},
      {{packet(FetchedSize{50000}), packet(FetchedHeader{0}, std::string(50000, 'a'))},
       kMaxFetchedBytes}};
  for (const auto& [packets, most] : all) {
    Sockets sockets;
    for (const std::string& bytes : packets) sent(sockets, bytes);
    sockets.fetchers = Fd();
    BodyReader reader(sockets.decoders.get());
    EXPECT_EQ(reader.read(0, part), most);
    EXPECT_EQ(reader.read(UINT64_MAX - 5, part), 0U);
    EXPECT_EQ(reader.read(40000, part), 0U) << "nor does it wait";
  }
}

}  // namespace
}  // namespace media::gst
