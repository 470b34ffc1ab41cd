#include "media/playout_buffer.h"

#include <gtest/gtest.h>
#include <opus.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

using Inserted = PlayoutBuffer::Inserted;
using Bytes = std::vector<std::uint8_t>;

// TOC bytes of CELT packets that last this long (RFC 6716 §3.1): code 0, or two or three frames.
Bytes opus(int samples, std::uint32_t number) {
  Bytes payload;
  switch (samples) {
    case 120: payload = {28 << 3}; break;
    case 240: payload = {29 << 3}; break;
    case 480: payload = {30 << 3}; break;
    case 960: payload = {31 << 3}; break;
    case 1920: payload = {31 << 3 | 1}; break;
    case 2880: payload = {31 << 3 | 3, 3}; break;
    case 5760: payload = {31 << 3 | 3, 6}; break;
    default: ADD_FAILURE() << samples;
  }
  for (int i = 0; i < 4; ++i) payload.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  return payload;
}

std::uint32_t number_in(std::span<const std::uint8_t> payload) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number |= std::uint32_t{payload[payload.size() - 4 + i]} << (8 * i);
  return number;
}

struct Sender {
  std::uint16_t sequence = 65530;        // wraps soon
  std::uint32_t timestamp = 0xFFFFF000;  // so does this
  std::uint32_t ssrc = 7;
  std::uint32_t number = 0;

  struct Packet {
    RtpPacket header;
    Bytes payload;
  };
  Packet next(int samples = 960) {
    Packet packet{.header = {.sequence = sequence++, .timestamp = timestamp, .ssrc = ssrc},
                  .payload = opus(samples, number++)};
    timestamp += static_cast<std::uint32_t>(samples);
    return packet;
  }
};

Inserted insert(PlayoutBuffer& buffer, const Sender::Packet& packet,
                std::optional<AudioLevel> level = std::nullopt) {
  RtpPacket header = packet.header;
  header.payload = packet.payload;
  return buffer.insert(header, level);
}

// One tick's worth of pulling, with the FIFO a decoder has. Returns the numbers of packets played.
struct Player {
  std::vector<std::uint32_t> tick(PlayoutBuffer& buffer) {
    std::vector<std::uint32_t> played;
    while (fifo < 960) {
      const auto step = buffer.pull(960 - fifo);
      if (!step) {
        fifo = 960;
        break;
      }
      EXPECT_GT(step->samples, 0);
      fifo += step->samples;
      if (!step->packet.empty()) {
        played.push_back(number_in(step->packet));
      } else {
        concealed += step->samples;
        fec += step->next.empty() ? 0 : 1;
      }
    }
    fifo -= 960;
    buffer.tick(fifo);
    return played;
  }
  int fifo = 0, concealed = 0, fec = 0;
};

using Played = std::vector<std::uint32_t>;

TEST(OpusPacketSamples, SaysWhatLibopusSays) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(1 + random() % 4);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    const int theirs =
        opus_packet_get_nb_samples(bytes.data(), static_cast<opus_int32>(bytes.size()), 48000);
    const std::optional<int> ours = opus_packet_samples(bytes);
    if (theirs > 0) {
      ASSERT_EQ(ours, theirs);
    } else {
      ASSERT_EQ(ours, std::nullopt);
    }
  }
  EXPECT_EQ(opus_packet_samples({}), std::nullopt);
  EXPECT_EQ(opus_packet_samples(Bytes(limits::kMaxPacketBytes + 1)), std::nullopt);
}

TEST(PlayoutBuffer, NothingComesOutBeforeAnythingCameIn) {
  PlayoutBuffer buffer;
  EXPECT_FALSE(buffer.pull());
}

TEST(PlayoutBuffer, TheFirstPacketWaitsForTheTargetDelay) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  EXPECT_EQ(insert(buffer, sender.next()), Inserted::resynced);
  EXPECT_EQ(player.tick(buffer), Played{});
  insert(buffer, sender.next());
  EXPECT_EQ(player.tick(buffer), Played{0});
}

class PacketLength : public ::testing::TestWithParam<int> {};

TEST_P(PacketLength, PlaysEveryPacketOnceInOrderWithoutAGap) {
  const int samples = GetParam();
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  Played played;
  int sent = 0;
  for (int tick = 0; tick < 600; ++tick) {
    while (sent <= tick * 960) {
      insert(buffer, sender.next(samples));
      sent += samples;
    }
    const Played now = player.tick(buffer);
    played.insert(played.end(), now.begin(), now.end());
  }
  ASSERT_GT(played.size(), 590U * 960 / static_cast<unsigned>(samples) - 3);
  for (std::uint32_t i = 0; i < played.size(); ++i) ASSERT_EQ(played[i], i);
  EXPECT_LE(player.concealed, 960) << "only the target delay at the start";
}
INSTANTIATE_TEST_SUITE_P(PlayoutBuffer, PacketLength,
                         ::testing::Values(120, 240, 480, 960, 1920, 2880, 5760));

TEST(PlayoutBuffer, PacketLengthsMayChangeAtAnyTime) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  Played played;
  int sent = 0;
  const int lengths[] = {480, 960, 1920, 2880};
  for (int tick = 0; tick < 1000; ++tick) {
    while (sent <= tick * 960) {
      const int samples = lengths[random() % 4];
      insert(buffer, sender.next(samples));
      sent += samples;
    }
    const Played now = player.tick(buffer);
    played.insert(played.end(), now.begin(), now.end());
  }
  for (std::uint32_t i = 0; i < played.size(); ++i) ASSERT_EQ(played[i], i);
  EXPECT_LE(player.concealed, 960);
}

TEST(PlayoutBuffer, ReordersAndDropsDuplicates) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  const auto a = sender.next(), b = sender.next(), c = sender.next();
  insert(buffer, a);
  insert(buffer, c);
  EXPECT_EQ(insert(buffer, c), Inserted::duplicate);
  insert(buffer, b);
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{0});
  EXPECT_EQ(insert(buffer, a), Inserted::duplicate) << "of one that was played";
  EXPECT_EQ(player.tick(buffer), Played{1});
  EXPECT_EQ(player.tick(buffer), Played{2});
  EXPECT_EQ(buffer.late(), 0U);
}

TEST(PlayoutBuffer, ALostPacketIsRecoveredFromTheNextOne) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  insert(buffer, sender.next());
  sender.next();
  insert(buffer, sender.next());
  player.tick(buffer);
  player.tick(buffer);
  EXPECT_EQ(player.fec, 0);
  EXPECT_EQ(player.tick(buffer), Played{});
  EXPECT_EQ(player.fec, 1);
  EXPECT_EQ(player.tick(buffer), Played{2});
}

TEST(PlayoutBuffer, SilenceThatWasNotSentIsNotTakenForLoss) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  insert(buffer, sender.next());
  sender.timestamp += 3 * 960;  // DTX: the sequence goes on
  player.tick(buffer);
  player.tick(buffer);
  player.tick(buffer);
  insert(buffer, sender.next());
  EXPECT_EQ(player.tick(buffer), Played{});
  EXPECT_EQ(player.tick(buffer), Played{});
  EXPECT_EQ(player.tick(buffer), Played{1});
  EXPECT_EQ(player.fec, 0);
}

// However they lie in the buffer: the newest of what was skipped is what the next one follows.
TEST(PlayoutBuffer, SilenceAfterAStandstillIsNotTakenForLoss) {
  for (std::array order{1, 2, 3, 4};;) {
    PlayoutBuffer buffer;
    Sender sender;
    Player player;
    std::vector<Sender::Packet> packets;
    for (int i = 0; i < 5; ++i) packets.push_back(sender.next());
    insert(buffer, packets[0]);
    for (const int i : order) insert(buffer, packets[static_cast<std::size_t>(i)]);
    buffer.skip(7 * 960);
    EXPECT_EQ(buffer.packets(), 0U);
    sender.timestamp += 4 * 960;  // DTX: the sequence goes on
    insert(buffer, sender.next());
    for (int tick = 0; tick < 3; ++tick) EXPECT_EQ(player.tick(buffer), Played{});
    EXPECT_EQ(player.tick(buffer), Played{5});
    EXPECT_EQ(player.fec, 0) << testing::PrintToString(order);
    if (!std::ranges::next_permutation(order).found) break;
  }
}

TEST(PlayoutBuffer, AMinuteOfSilenceDelaysNothing) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  insert(buffer, sender.next());
  for (int tick = 0; tick < 3000; ++tick) player.tick(buffer);
  sender.timestamp += 3000 * 960;
  insert(buffer, sender.next());
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{1});
}

TEST(PlayoutBuffer, AfterAStallTheTalkGoesOnAndTheDelayStaysBounded) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  for (int tick = 0; tick < 50; ++tick) {
    insert(buffer, sender.next());
    player.tick(buffer);
  }
  for (int tick = 0; tick < 100; ++tick) player.tick(buffer);
  for (int i = 0; i < 100; ++i) insert(buffer, sender.next());  // two seconds at once
  std::uint32_t last = 0;
  for (int tick = 0; tick < 100; ++tick) {
    insert(buffer, sender.next());
    for (std::uint32_t number : player.tick(buffer)) last = number;
    ASSERT_LE(buffer.packets(), 12U);
  }
  EXPECT_GE(last + 12, sender.number);
  EXPECT_LT(last, sender.number);
}

TEST(PlayoutBuffer, AnotherSsrcOrATimestampJumpStartsAnew) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  for (int i = 0; i < 3; ++i) {
    insert(buffer, sender.next());
    player.tick(buffer);
  }
  sender.ssrc = 8;
  sender.timestamp = 5;
  sender.sequence = 40000;
  EXPECT_EQ(insert(buffer, sender.next()), Inserted::resynced);
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{3});
  sender.timestamp += 0x7000'0000;
  EXPECT_EQ(insert(buffer, sender.next()), Inserted::resynced);
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{4});
  player.tick(buffer);
  sender.timestamp -= 0x7000'0000;
  EXPECT_EQ(insert(buffer, sender.next()), Inserted::resynced);
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{5});
}

TEST(PlayoutBuffer, AJumpOfHalfTheCircleStartsAnew) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  insert(buffer, sender.next());
  player.tick(buffer);
  player.tick(buffer);
  sender.timestamp += 0x8000'0000;
  EXPECT_EQ(insert(buffer, sender.next()), Inserted::resynced);
  player.tick(buffer);
  EXPECT_EQ(player.tick(buffer), Played{1});
}

TEST(PlayoutBuffer, ASequenceJumpAloneCostsNothing) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  Played played;
  for (int tick = 0; tick < 100; ++tick) {
    if (tick == 50) sender.sequence = static_cast<std::uint16_t>(sender.sequence + 0x8000);
    insert(buffer, sender.next());
    for (auto number : player.tick(buffer)) played.push_back(number);
  }
  EXPECT_EQ(played.size(), 99U);
  EXPECT_LE(player.concealed, 960);
}

TEST(PlayoutBuffer, JunkIsRefused) {
  PlayoutBuffer buffer;
  Sender::Packet empty;
  EXPECT_EQ(insert(buffer, empty), Inserted::invalid);
  Sender::Packet zero_frames{.header = {}, .payload = {31 << 3 | 3, 0}};
  EXPECT_EQ(insert(buffer, zero_frames), Inserted::invalid);
  EXPECT_EQ(buffer.packets(), 0U);
}

// A seeded network: loss, reordering, duplicates, jitter. Whatever it does: no packet is played
// twice or out of order, the memory is bounded, a network that is kind again is heard in full.
TEST(PlayoutBuffer, UnderASeededNetworkItPlaysInOrderAndRecovers) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    PlayoutBuffer buffer;
    Sender sender;
    Player player;
    std::multimap<int, Sender::Packet> network;  // by the tick of arrival
    const unsigned loss = random() % 30, copies = random() % 30, jitter = 1 + random() % 25;
    int last = -1;
    std::size_t played = 0, played_before = 0;
    const int rough = 500, kind = 500;
    for (int tick = 0; tick < rough + kind + 50; ++tick) {
      const auto packet = sender.next();
      if (tick >= rough) {
        network.emplace(tick, packet);
      } else if (random() % 100 >= loss) {
        network.emplace(tick + static_cast<int>(random() % jitter), packet);
        if (random() % 100 < copies) network.emplace(tick + static_cast<int>(random() % 9), packet);
      }
      const auto arrived = network.equal_range(tick);
      for (auto it = arrived.first; it != arrived.second; ++it) insert(buffer, it->second);
      for (const std::uint32_t number : player.tick(buffer)) {
        ASSERT_GT(static_cast<int>(number), last);
        last = static_cast<int>(number);
        ++played;
      }
      ASSERT_LE(buffer.packets(), limits::kPlayoutSlots);
      if (tick == rough + 49) played_before = played;
    }
    EXPECT_GE(played - played_before, static_cast<std::size_t>(kind) - 8);
  }
}

TEST(PlayoutBuffer, TheDelayIsAlignedWhereNobodyHearsItAndNothingLoudIsLost) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  const auto level = [](int dbov) {
    return AudioLevel{.level_dbov = static_cast<std::uint8_t>(dbov)};
  };
  for (int i = 0; i < 4; ++i) insert(buffer, sender.next(), level(30));
  EXPECT_EQ(buffer.delay().count(), 80);
  buffer.align(60);
  EXPECT_EQ(buffer.packets(), 4U) << "they are loud";
  EXPECT_EQ(buffer.delay().count(), 60) << "nothing was before them";
  for (int tick = 0; tick < 5; ++tick) {
    player.tick(buffer);
    insert(buffer, sender.next(), level(90));
  }
  EXPECT_EQ(buffer.surplus_samples(), 40 * 48);
  buffer.align(60);
  EXPECT_EQ(buffer.delay().count(), 20);
  EXPECT_EQ(buffer.surplus_samples(), 0);
}

// Who talked on unheard stayed as late as he once was until he was silent for as long as that.
TEST(PlayoutBuffer, TheDelayIsAlignedInTheShortPausesOfATalkToo) {
  PlayoutBuffer buffer;
  Sender sender;
  for (const int dbov : {90, 30, 90, 90, 30}) {
    insert(buffer, sender.next(), AudioLevel{.level_dbov = static_cast<std::uint8_t>(dbov)});
  }
  buffer.skip(960);
  EXPECT_EQ(buffer.delay().count(), 80);
  buffer.align(60);
  EXPECT_EQ(buffer.packets(), 4U);
  EXPECT_EQ(buffer.delay().count(), 60) << "without the first";
  buffer.align(60);
  EXPECT_EQ(buffer.delay().count(), 60) << "the next one is loud";
  buffer.skip(960);
  buffer.align(60);
  EXPECT_EQ(buffer.packets(), 2U);
  EXPECT_EQ(buffer.delay().count(), 20) << "without one of the pause";
}

TEST(PlayoutBuffer, TheLoudestOfWhatIsPlayedNextDecides) {
  PlayoutBuffer buffer;
  Sender sender;
  Player player;
  insert(buffer, sender.next(480), AudioLevel{.level_dbov = 90});
  EXPECT_EQ(buffer.peek_level(960), std::nullopt) << "not within this tick";
  player.tick(buffer);
  insert(buffer, sender.next(480), AudioLevel{.level_dbov = 40});
  insert(buffer, sender.next(480), AudioLevel{.level_dbov = 10});
  EXPECT_EQ(buffer.peek_level(960)->level_dbov, 40);
  buffer.skip(960);
  EXPECT_EQ(buffer.peek_level(960)->level_dbov, 10);
  buffer.skip(960);
  EXPECT_EQ(buffer.packets(), 0U);
}

TEST(PlayoutBuffer, ContributorsComeOutWithTheirPacket) {
  PlayoutBuffer buffer;
  Sender sender;
  std::vector<Bytes> csrcs, levels;
  const auto send = [&](std::size_t count, bool with_levels) {
    csrcs.emplace_back(4 * count, static_cast<std::uint8_t>(csrcs.size()));
    levels.emplace_back(with_levels ? count : 0, static_cast<std::uint8_t>(50 + levels.size()));
    auto packet = sender.next();
    packet.payload.resize(limits::kMaxPacketBytes - csrcs.size());  // as long as any
    packet.header.payload = packet.payload;
    packet.header.csrcs = csrcs.back();
    buffer.insert(packet.header, std::nullopt, {.csrcs = csrcs.back(), .levels = levels.back()});
    return packet.payload;
  };
  std::vector<Bytes> sent;
  for (const auto& [count, with_levels] :
       {std::pair{15, true}, {0, false}, {3, false}, {1, true}}) {
    sent.push_back(send(static_cast<std::size_t>(count), with_levels));
  }
  std::size_t seen = 0;
  for (int t = 0; t < 10; ++t) {
    const auto step = buffer.pull();
    if (!step || step->packet.empty()) {
      ASSERT_TRUE(step);
      EXPECT_EQ(step->contributors.size(), 0U) << "nobody said who made a gap";
      continue;
    }
    ASSERT_LT(seen, sent.size());
    EXPECT_TRUE(std::ranges::equal(step->packet, sent[seen]));
    EXPECT_TRUE(std::ranges::equal(step->contributors.csrcs, csrcs[seen]));
    EXPECT_TRUE(std::ranges::equal(step->contributors.levels, levels[seen]));
    ++seen;
  }
  EXPECT_EQ(seen, sent.size());
}

}  // namespace
}  // namespace media
