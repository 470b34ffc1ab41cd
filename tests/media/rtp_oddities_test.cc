// What is odd but may come, by the section that says how it looks.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "media/playout_buffer.h"
#include "media/rtcp_session.h"
#include "media/rtp_header.h"
#include "tests/media/room_fixture.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using std::chrono_literals::operator""ms;
using Bytes = std::vector<std::uint8_t>;

class RtpOddities : public testing::Test {
 protected:
  std::uint8_t byte() { return static_cast<std::uint8_t>(dice_.bits()); }
  Bytes bytes(std::size_t count) {
    Bytes out(count);
    for (auto& each : out) each = byte();
    return out;
  }
  const unsigned seed_ = test_support::test_seed();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  test::Dice dice_{seed_};
};

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

// RFC 3550 §5.1, §5.3.1: a packet made of parts, each length of which may lie. It is taken if and
// only if it says version 2 and every part is there; then each part is what was put in.
TEST_F(RtpOddities, APacketIsTakenIfAllThatItSpeaksOfIsInIt) {
  std::size_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto version = dice_.chance(0.9) ? 2 : dice_.below(4);
    const auto csrcs = bytes(4 * dice_.below(16));
    const bool extended = dice_.chance(0.5), padded = dice_.chance(0.5);
    const auto extension = bytes(extended ? 4 * dice_.below(8) : 0);
    const auto payload = bytes(dice_.below(40));
    const std::size_t padding = padded ? 1 + dice_.below(20) : 0;
    const auto lie = [&](std::size_t said) {
      return dice_.chance(0.9) ? said : said + dice_.below(4);
    };
    const std::size_t csrcs_said = std::min<std::size_t>(lie(csrcs.size() / 4), 15);
    const std::size_t words_said = lie(extension.size() / 4);
    const std::size_t padding_said = dice_.chance(0.9) ? padding : dice_.below(256);

    Bytes packet = bytes(12);
    packet[0] = static_cast<std::uint8_t>(version << 6 | (padded ? 0x20 : 0) |
                                          (extended ? 0x10 : 0) | csrcs_said);
    append(packet, csrcs);
    // What stands where the extension's head is looked for decides; so no lie about both.
    const bool csrcs_lie = csrcs_said * 4 != csrcs.size();
    if (extended) append(packet, {byte(), byte(), 0, static_cast<std::uint8_t>(words_said)});
    append(packet, extension);
    append(packet, payload);
    if (padded) {
      packet.resize(packet.size() + padding);
      packet.back() = static_cast<std::uint8_t>(padding_said);
    }
    const auto parsed = parse_rtp(packet);
    if (extended && csrcs_lie) continue;
    std::size_t header = 12 + 4 * csrcs_said + (extended ? 4 + 4 * words_said : 0);
    const bool fits = version == 2 && header <= packet.size() &&
                      (!padded || (padding_said > 0 && header + padding_said <= packet.size()));
    ASSERT_EQ(parsed.has_value(), fits) << round;
    if (!parsed) continue;
    ++taken;
    EXPECT_EQ(parsed->header_bytes, header);
    EXPECT_EQ(parsed->payload.data(), packet.data() + header);
    EXPECT_EQ(parsed->payload.size(), packet.size() - header - (padded ? padding_said : 0));
    EXPECT_EQ(parsed->csrc_count(), csrcs_said);
    if (extended && words_said * 4 == extension.size()) {
      EXPECT_TRUE(std::ranges::equal(parsed->extension, extension));
    }
  }
  EXPECT_GT(taken, 5'000U);
}

// RFC 8285 §4.2, §4.3: elements in any order with padding anywhere: the first of its id is found,
// with all its data and nothing else.
TEST_F(RtpOddities, TheFirstElementOfAnIdIsFoundInBothForms) {
  for (int round = 0; round < 5'000; ++round) {
    const bool two_bytes = dice_.chance(0.5);
    std::vector<std::pair<std::uint8_t, Bytes>> elements(dice_.below(8));
    Bytes extension;
    for (auto& [id, data] : elements) {
      extension.resize(extension.size() + dice_.below(3));  // padding: zeros
      id = static_cast<std::uint8_t>(1 + dice_.below(two_bytes ? 255 : 14));
      data = bytes(two_bytes ? dice_.below(30) : 1 + dice_.below(16));
      if (two_bytes) {
        append(extension, {id, static_cast<std::uint8_t>(data.size())});
      } else {
        append(extension, {static_cast<std::uint8_t>(id << 4 | (data.size() - 1))});
      }
      append(extension, data);
    }
    extension.resize((extension.size() + 3) / 4 * 4);
    Bytes packet(12);
    packet[0] = 0x90;
    const auto appbits = static_cast<std::uint8_t>(dice_.below(16));  // "set to all-zero" or not
    append(packet, two_bytes ? Bytes{0x10, appbits} : Bytes{0xBE, 0xDE});
    append(packet, {0, static_cast<std::uint8_t>(extension.size() / 4)});
    append(packet, extension);
    const auto parsed = parse_rtp(packet);
    ASSERT_TRUE(parsed);
    for (unsigned id = 0; id < 256; ++id) {
      const auto found = find_extension(*parsed, static_cast<std::uint8_t>(id));
      const auto first =
          std::ranges::find(elements, id, [](const auto& each) { return unsigned{each.first}; });
      ASSERT_EQ(found.has_value(), first != elements.end()) << id;
      if (found) {
        ASSERT_TRUE(std::ranges::equal(*found, first->second)) << id;
      }
    }
  }
}

RtpPacket opus(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc = 7) {
  static const Bytes kFrame{0xF8, 0, 0};  // CELT, 20 ms
  return {.payload_type = 111,
          .sequence = sequence,
          .timestamp = timestamp,
          .ssrc = ssrc,
          .payload = kFrame};
}

// RFC 3550 §5.1: both counters begin anywhere and wrap; each packet comes out once.
TEST_F(RtpOddities, OverSeveralWrapsEachPacketIsPlayedOnce) {
  PlayoutBuffer buffer;
  auto sequence = static_cast<std::uint16_t>(dice_.bits());
  auto timestamp = static_cast<std::uint32_t>(0 - 960 * dice_.below(70'000));
  std::size_t sent = 0, played = 0;
  for (; sent < 200'000; ++sent) {
    buffer.tick(0);
    ASSERT_EQ(buffer.insert(opus(sequence++, timestamp), {}),
              sent == 0 ? PlayoutBuffer::Inserted::resynced : PlayoutBuffer::Inserted::stored);
    timestamp += 960;
    const auto step = buffer.pull();
    if (step && !step->packet.empty()) ++played;
  }
  EXPECT_EQ(played + buffer.packets(), sent);
}

// RFC 3550 A.3, over wraps: what is expected is what came and what did not, whatever comes twice.
TEST_F(RtpOddities, OverSeveralWrapsEachPacketIsReceivedOrLost) {
  const auto first = static_cast<std::uint16_t>(dice_.bits());
  ReceptionStatistics source(7, first);
  std::int64_t missing = 0, again = 0;
  std::uint32_t i = 0;
  for (; i < 200'000; ++i) {
    const auto sequence = static_cast<std::uint16_t>(first + i);
    if (i % 1000 != 999 && dice_.chance(0.1)) {
      ++missing;
      continue;
    }
    source.update(sequence, 960 * i, 20ms * i);
    for (; dice_.chance(0.05); ++again) source.update(sequence, 960 * i, 20ms * i);
  }
  EXPECT_EQ(source.lost(), missing - again);
  EXPECT_EQ(source.report().highest_sequence, first + i - 1) << "with its cycles";
}

// RFC 3550 §8: another source with each packet, or counters that jump, are that peer's affair: the
// others' sound goes on without a gap, and so does his own when he has come to rest.
TEST_F(RtpOddities, ASourceThatChangesWithEveryPacketTroublesNobodyElse) {
  TestRoom room(3);
  room.listening = true;
  room[0].amplitude = room[1].amplitude = 6000;
  room[0].tone_hz = 610;
  for (int t = 0; t < 300; ++t) {
    switch (dice_.below(4)) {
      case 0: ++room[1].ssrc_base; break;
      case 1: room[1].sequence = static_cast<std::uint16_t>(room[1].sequence + 0x8000); break;
      case 2: room[1].timestamp = static_cast<std::uint32_t>(dice_.bits()); break;
      default: room[1].timestamp -= 48'000; break;
    }
    room.tick();
  }
  EXPECT_NEAR(test_support::tone_dbfs(last_seconds(room[2].heard, 5), 610),
              test_support::tone_dbfs(last_seconds(room[1].heard, 5), 610), 1)
      << "as he, who is not mixed with himself, hears it";
  room.run(150);
  EXPECT_NEAR(test_support::tone_dbfs(last_second(room[2].heard), 440),
              test_support::tone_dbfs(last_second(room[0].heard), 440), 1);
  EXPECT_GT(test_support::tone_dbfs(last_second(room[2].heard), 440), -20);
}

// Where a count of a byte or of ten bits would begin again.
TEST_F(RtpOddities, AThousandAndTwentyFourAndOneMoreAllHear) {
  TestRoom room(2);
  room[0].amplitude = room[1].amplitude = 6000;
  std::vector<std::unique_ptr<MixLeg>> listeners;
  for (std::uint32_t legs = 3; legs <= 1025; ++legs) {
    listeners.push_back(std::make_unique<MixLeg>(
        MixLegSpec{.leg = {legs}, .contributor_id = 1000 + legs, .ssrc = legs, .rtp = {}}));
    room.mixer.add(*listeners.back());
    if (legs < 1024) continue;
    room.run(3);
    ASSERT_EQ(room.mixer.outgoing().size(), legs);
    for (const auto& out : room.mixer.outgoing()) {
      const bool speaks = out.leg == room[0].leg.get() || out.leg == room[1].leg.get();
      ASSERT_EQ(parse_rtp(out.header)->csrc_count(), speaks ? 1U : 2U);
    }
  }
}

}  // namespace
}  // namespace media
