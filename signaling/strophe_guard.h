// signaling/strophe_guard.h: stands between expat and libstrophe 0.12.2 and decides what of the
// stream libstrophe gets to see. Its tree builder cannot be let near what strangers write:
//   - it drops attribute prefixes, so x:from='victim@…' overwrites from, also with the prefix xml;
//   - it appends children and characters in quadratic time (256 KiB of line feeds: seconds);
//   - it knows no bounds, and never switches off expat's deferral of incomplete tokens (a stanza
//     split by TCP in the middle of a tag then waits for bytes that may never come);
//   - its handlers match by the namespace of any child, so a contact's <x xmlns='urn:xmpp:sm:3'/>
//     looks like the server's stream management;
//   - it keeps one parser for the life of the stream, and expat every name that it has ever read.
// So once the stream is up, stanzas are built here, from expat's events, with every namespace
// explicit; libstrophe is shown an empty <message/>, <iq/> or <presence/> in their place, which it
// counts for XEP-0198. Before that, and for the stream's own elements, it sees what there is, but
// for attributes in a namespace.
//
// One parser per guard. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signaling/stanza.h"
#include "signaling/strophe_reserved_namespace.h"

namespace jingle {

// A stanza beyond limits.h: never delivered, but an IQ must be answered (RFC 6120 §8.2.3).
struct RefusedStanza {
  std::string name, type, id, from, to;  // as on the wire, shortened to what a JID may be
  const char* why = "";
};

// What the stream itself has said, as far as libstrophe does not tell.
struct StreamFacts {
  bool sm_offered = false;    // <sm/> among the features (XEP-0198 §3)
  bool sm_answered = false;   // <enabled/> or <failed/> came
  bool sm_resumable = false;  // <enabled resume='true'/>
  bool sm_resumed = false;    // <resumed/>
  bool sm_acked = false;      // <a/>: the server has counted our stanzas
  bool closed = false;        // </stream:stream>
  std::string sasl_failure;   // condition (RFC 6120 §6.5)
  std::string stream_error;   // condition (RFC 6120 §4.9.3)
  std::string stream_error_text;
  std::string fatal;  // we cannot go on reading: not well-formed, DTD, oversized
};

class StropheGuard {
 public:
  // `on_closed`: the server's </stream:stream>, before libstrophe hears of it.
  explicit StropheGuard(std::function<void()> on_closed);
  ~StropheGuard();
  StropheGuard(const StropheGuard&) = delete;
  StropheGuard& operator=(const StropheGuard&) = delete;

  // Calls into libstrophe belong into such a scope; parsers it makes there are this guard's.
  class Scope {
   public:
    explicit Scope(StropheGuard& guard);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    StropheGuard* outer_;
  };

  // False: expat is called past us (a link error), and nothing libstrophe says can be believed.
  bool installed() const { return parser_ != nullptr; }

  // A new TCP connection: facts forgotten, stanzas libstrophe's again.
  void reset();
  // The stream is up: from the next element on stanzas are ours.
  void take_stanzas() { taking_ = true; }

  const StreamFacts& facts() const { return facts_; }
  // Grows with every chunk of the stream that was parsed.
  std::uint64_t chunks() const { return chunks_; }
  std::vector<Xml> stanzas() { return std::exchange(stanzas_, {}); }
  std::vector<RefusedStanza> refused() { return std::exchange(refused_, {}); }

 private:
  friend struct StropheGuardHooks;
  struct Expat;  // what libstrophe registered
  enum class Mode { pass, take, drop };

  void start(const char* name, const char** attributes);
  void end(const char* name);
  void characters(std::string_view text);

  void begin_top(std::string_view ns, std::string_view name, const char** attributes);
  void pass_start(const char* name, const char** attributes);
  void take_start(std::string_view ns, std::string_view name, const char** attributes);
  void flush_text();
  void observe(std::string_view ns, std::string_view name, const char** attributes);
  void check_size();
  void refuse(const char* why);
  void fail(std::string why);

  const std::function<void()> on_closed_;
  std::unique_ptr<Expat> expat_;
  void* parser_ = nullptr;  // XML_Parser
  StreamFacts facts_;
  std::uint64_t chunks_ = 0;

  ReservedNamespaceFilter filter_;
  std::string chunk_;    // filtered
  std::string opening_;  // what opened the stream, as it came
  bool renew_ = false;   // the parser has read enough names
  bool renewing_ = false;
  bool taking_ = false;
  int depth_ = 0;        // open elements, the stream included
  long top_start_ = 0;   // byte index of the element below the stream
  long last_event_ = 0;  // byte index
  long fed_ = 0;         // bytes
  Mode mode_ = Mode::pass;
  std::vector<std::string> path_;  // local names below the stream, for observe()
  std::string text_;               // characters not yet handed on
  Xml building_;
  std::vector<std::string> namespaces_;  // of the open elements of building_
  RefusedStanza envelope_;
  std::vector<Xml> stanzas_;
  std::vector<RefusedStanza> refused_;
};

}  // namespace jingle
