// Servers that are not there, say nothing, stop in the middle or do not read.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/strophe_send_queue.h"
#include "tests/strophe/harness.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_server.h"
#include "tests/support/no_threads.h"

namespace jingle {
namespace {

using support::FakeServer;
using support::Stream;

constexpr char kClientHeader[] =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='localhost' version='1.0'>";

// Takes the connection and reads until the other side gives up.
FakeServer silent_server() {
  return FakeServer([](Stream& stream) { stream.read_to_end(); });
}
// Offers STARTTLS, says <proceed/>, and nothing ever after.
void swallow_tls(Stream& stream) {
  stream.read_until("<stream:stream");
  stream.write(std::string(kClientHeader) +
               "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"
               "<required/></starttls></stream:features>");
  stream.read_until("<starttls");
  stream.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  stream.read_to_end();
}

TEST(Failure, NobodyListensIsConnectionRefused) {
  Peer peer(component(support::free_tcp_port()));
  EXPECT_FALSE(peer.up());
  EXPECT_EQ(peer.last_reason(), "Connection refused");
  EXPECT_FALSE(peer.seen.downs[0].wrong_password);
}

TEST(Failure, WithoutADescriptorLeftTheAttemptEndsAndTheNextOneIsMade) {
  Peer peer(component(support::free_tcp_port()));
  // Once with descriptors: UBSan needs some to look at an object's type for the first time.
  EXPECT_FALSE(peer.up());
  peer.seen.downs.clear();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  peer.connection->connect();
  const bool ended = peer.run_until([&] { return !peer.seen.downs.empty(); }, 10000ms);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(peer.up());
  EXPECT_EQ(peer.last_reason(), "Connection refused");
}

TEST(Failure, WithoutAThreadLeftTheAttemptEndsAndTheNextOneIsMade) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    auto config = component(support::free_tcp_port());
    config.host = host;
    Peer peer(config);
    {
      const support::NoThreads none;
      EXPECT_FALSE(peer.up());
    }
    EXPECT_THAT(peer.last_reason(), testing::HasSubstr("no thread"));
    EXPECT_FALSE(peer.up());
    EXPECT_THAT(peer.last_reason(), testing::Not(testing::HasSubstr("no thread")));
  }
}

TEST(Failure, ANameThatDoesNotResolveSaysSo) {
  auto config = component(5347);
  config.host = "no..such.host";  // no name at all: nobody is asked
  Peer peer(config);
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::HasSubstr("resolv"));
}

TEST(Failure, AServerThatSaysNothingTimesOut) {
  FakeServer server = silent_server();
  auto config = component(server.port());
  config.connect_timeout = 200ms;
  Peer peer(config);
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::HasSubstr("timed out"));
}

TEST(Failure, AHandshakeThatIsNeverCompletedTimesOut) {
  FakeServer server(swallow_tls);
  auto config = client(server.port(), "bot@localhost/focus", StropheConfig::Tls::trust_all);
  config.connect_timeout = 500ms;
  Peer peer(config);
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::HasSubstr("timed out"));
}

// The backlog is full, so our SYN is dropped.
TEST(Failure, ABlackHoleTimesOut) {
  support::Listener listener(0);
  const Stream filling = Stream::dial(listener.port());
  auto config = component(listener.port());
  config.connect_timeout = 200ms;
  Peer peer(config);
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::HasSubstr("timed out"));
}

TEST(Failure, DisconnectEndsAnAttemptAtOnce) {
  FakeServer server(swallow_tls);
  Peer peer(client(server.port(), "bot@localhost/focus", StropheConfig::Tls::trust_all));
  peer.connection->connect();
  ASSERT_TRUE(peer.run_until([&] { return server.connections() == 1; }));
  peer.connection->disconnect();
  ASSERT_TRUE(peer.down());
  EXPECT_EQ(peer.last_reason(), "disconnected");
}

TEST(Failure, DestroyedAtAnyMomentNothingIsLeft) {
  FakeServer tls(swallow_tls), silent = silent_server();
  for (int turns = 0; turns < 12; ++turns) {
    for (auto config : {client(tls.port(), "bot@localhost", StropheConfig::Tls::verify),
                        component(silent.port()), component(support::free_tcp_port())}) {
      if (turns % 3 == 0) config.host = "localhost";  // goes through the resolver
      Peer peer(config);
      peer.connection->connect();
      for (int i = 0; i < turns; ++i) peer.turn(5ms);
    }
  }
}

TEST(Failure, TheEndInTheMiddleOfAStanzaIsConnectionLost) {
  FakeServer server([](Stream& stream) {
    if (!support::accept_component(stream)) return;
    stream.read_until("<go/>");
    stream.write("<message from='a@b/c' id='half'><bo");
  });
  Peer peer(component(server.port()));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.up()) << i;
    peer.connection->send(Priority::normal, "<go/>");
    ASSERT_TRUE(peer.down());
    EXPECT_EQ(peer.last_reason(), "connection lost");
  }
  EXPECT_TRUE(peer.seen.stanzas.empty());
}

TEST(Failure, AStreamErrorIsTheReason) {
  FakeServer server([](Stream& stream) {
    if (!support::accept_component(stream)) return;
    stream.read_until("<go/>");
    stream.write(
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
        "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>new &lt;key&gt;</text></stream:error>"
        "</stream:stream>");
  });
  Peer peer(component(server.port()));
  ASSERT_TRUE(peer.up());
  peer.connection->send(Priority::normal, "<go/>");
  ASSERT_TRUE(peer.down());
  EXPECT_EQ(peer.last_reason(), "reset (new <key>)");
}

TEST(Failure, WritingToABrokenConnectionDoesNotKill) {
  ASSERT_NE(::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  FakeServer server([](Stream& stream) {
    if (support::accept_component(stream)) stream.read_to_end();
  });
  Peer peer(component(server.port()));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(peer.up());
    ASSERT_EQ(::shutdown(peer.connection->poll_fd(), SHUT_RDWR), 0);
    ASSERT_TRUE(peer.connection->send(Priority::normal, "<message to='a@b'/>"));
    ASSERT_TRUE(peer.down());
  }
}

TEST(Failure, AServerThatDoesNotReadCostsNoMoreThanTheBacklog) {
  FakeServer server([](Stream& stream, FakeServer& self) {
    if (!support::accept_component(stream)) return;
    if (!support::eventually([&self] { return self.allowed(); })) return;
    self.record(std::to_string(stream.read_until("id='after'").size()));
    stream.read_to_end();
  });
  Peer peer(component(server.port()));
  ASSERT_TRUE(peer.up());
  const std::string document =
      "<message to='a@b/c'><body>" + std::string(100 * 1024, 'x') + "</body></message>";
  std::size_t sent = 0;
  // As long as the kernel's buffers take something, so does the queue.
  for (int refused = 0; refused < 3;) {
    if (peer.connection->send(Priority::normal, document)) {
      sent += document.size();
      refused = 0;
    } else {
      ++refused;
      for (int i = 0; i < 5; ++i) peer.turn(5ms);
    }
    ASSERT_LT(sent, 64u * 1024 * 1024);
  }
  EXPECT_TRUE(peer.connection->send(Priority::urgent, "<iq type='set' id='call' to='a@b/c'/>"));
  EXPECT_GE(sent, SendQueue::kMaxNormalBytes - document.size());
  server.allow();
  ASSERT_TRUE(peer.run_without_timers([&] { return !(peer.connection->poll_events() & POLLOUT); }));
  ASSERT_TRUE(peer.connection->send(Priority::normal, "<message to='a@b' id='after'/>"));
  peer.connection->disconnect();
  ASSERT_TRUE(peer.down());
  EXPECT_GE(std::stoul(server.recorded()), sent);
}

TEST(Failure, RefusesToSendWhatIsTooBigOrCannotGo) {
  FakeServer server([](Stream& stream) {
    if (support::accept_component(stream)) stream.read_to_end();
  });
  Peer peer(component(server.port()));
  EXPECT_FALSE(peer.connection->send(Priority::urgent, "<iq/>"));
  ASSERT_TRUE(peer.up());
  EXPECT_FALSE(
      peer.connection->send(Priority::urgent, std::string(limits::kMaxStanzaBytes + 1, 'x')));
  EXPECT_TRUE(peer.connection->send(Priority::urgent, "<iq type='set' id='1' to='a@b/c'/>"));
}

TEST(Failure, UrgentStanzasOvertakeOnTheWire) {
  FakeServer server([](Stream& stream, FakeServer& self) {
    if (support::accept_component(stream)) self.record(stream.read_until("</stream:stream>"));
  });
  Peer peer(component(server.port()));
  ASSERT_TRUE(peer.up());
  for (const char* id : {"n1", "n2"}) {
    peer.connection->send(Priority::normal, std::string("<message id='") + id + "'/>");
  }
  for (const char* id : {"u1", "u2"}) {
    peer.connection->send(Priority::urgent, std::string("<iq id='") + id + "'/>");
  }
  peer.connection->disconnect();
  ASSERT_TRUE(peer.down());
  EXPECT_EQ(server.recorded(),
            "<iq id='u1'/><iq id='u2'/><message id='n1'/><message id='n2'/></stream:stream>");
}

// select(), which libstrophe uses, ends the process on a file descriptor of 1,024 or more.
TEST(Failure, ConnectsAgainWithElevenHundredOpenFiles) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 4096) GTEST_SKIP() << "only " << limit.rlim_max << " files may be opened";
  const rlimit before = limit;
  limit.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  FakeServer server([](Stream& stream) {
    if (support::accept_component(stream)) stream.read_until("<bye");
  });
  Peer peer(component(server.port()));
  std::vector<support::Fd> files;
  const auto fill = [&] {
    while (files.size() < 1100) files.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  };
  fill();
  ASSERT_GT(files.back().get(), 1024);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(peer.up()) << i << peer.last_reason();
    peer.connection->send(Priority::normal, "<bye/>");
    ASSERT_TRUE(peer.down());
  }
  files.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace jingle
