#include "media/gst/fetcher_main.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "media/byte_range.h"
#include "media/gst/child_sandbox.h"
#include "media/gst/fetched_body.h"
#include "media/gst/fetcher_messages.h"
#include "media/gst/public_address.h"
#include "media/gst/response_headers.h"
#include "media/icy_stream.h"
#include "media/limits.h"
#include "media/play_list.h"

namespace media::gst {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kMaxRedirects = 5;
constexpr int kMaxConnections = 12;     // tried in all: a host may have several addresses
constexpr std::size_t kBeginning = 16;  // bytes that tell a list
// FetchRules::most_places: as many at once as this, and then no more than one in a while.
constexpr int kPlacesAtOnce = 20;
constexpr milliseconds kBetweenPlaces{200};
// A server's clock may be this far from another's (RFC 9110 §8.8.2.2).
constexpr std::time_t kApart_s = 60;
constexpr const char* kNotHttps = "It leads to what is no https URL.";

void say(FetcherKind kind, std::string_view text = {}) {
  say_to_parent(static_cast<std::uint32_t>(kind), text.data(),
                std::min<std::size_t>(text.size(), kMaxChildMessageBytes));
}

[[noreturn]] void fail(std::string_view text, FetcherKind kind = FetcherKind::error) {
  say(kind, text);
  _exit(1);
}

struct CurlFree {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(char* text) const { curl_free(text); }
};

// An absolute https URL.
class Url {
 public:
  // nullopt, and why, if `reference`, seen from `base`, is none.
  static std::optional<Url> resolve(const std::string& base, const std::string& reference,
                                    CURLUcode& why) {
    const std::unique_ptr<CURLU, CurlFree> url(curl_url());
    constexpr unsigned kFlags = CURLU_DISALLOW_USER | CURLU_URLENCODE;
    why = base.empty() ? CURLUE_OK : curl_url_set(url.get(), CURLUPART_URL, base.c_str(), kFlags);
    if (why == CURLUE_OK) why = curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), kFlags);
    if (why != CURLUE_OK) return std::nullopt;
    const auto part = [&](CURLUPart which) {
      char* text = nullptr;
      if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return std::string();
      return std::string(std::unique_ptr<char, CurlFree>(text).get());
    };
    Url result{part(CURLUPART_URL), part(CURLUPART_HOST)};
    why = CURLUE_UNSUPPORTED_SCHEME;
    if (part(CURLUPART_SCHEME) != "https" || result.host.empty()) return std::nullopt;
    if (result.host.front() == '[') result.host = result.host.substr(1, result.host.size() - 2);
    if (result.host.ends_with('.')) result.host.pop_back();
    return result;
  }

  std::string text, host;
};

std::optional<IpAddress> address_of(const sockaddr& address) {
  IpAddress ip = IpAddress::parse("0.0.0.0").value();
  if (address.sa_family == AF_INET) {
    std::memcpy(ip.bytes.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else {
    return std::nullopt;
  }
  return ip;
}

// RFC 9110 §13.1.5: what changes when it changes by a byte. Empty: nothing says that.
std::string validator_of(const ResponseHeaders& headers) {
  if (is_strong_etag(headers.etag)) return headers.etag;
  const std::time_t changed = curl_getdate(headers.last_modified.c_str(), nullptr),
                    now = curl_getdate(headers.date.c_str(), nullptr);
  return changed >= 0 && now - changed >= kApart_s ? headers.last_modified : "";
}

// nullptr: the system's. The variable is as OpenSSL takes it.
const char* ca_file(const FetchRules& rules) {
  return rules.ca_file.empty() ? std::getenv("SSL_CERT_FILE") : rules.ca_file.c_str();
}

// One request after the other until there is something to play; and then one for each place of it
// that the decoder asks for.
class Fetcher {
 public:
  explicit Fetcher(FetchRequest request)
      : rules_(std::move(request.rules)), deadline_(Clock::now() + rules_.answer) {
    CURLUcode why{};
    const auto url = Url::resolve("", request.url, why);
    if (why == CURLUE_USER_NOT_ALLOWED) fail("A URL with a name in it is not played.");
    if (!url) fail("That is no https URL.");
    url_ = *url;
  }

  [[noreturn]] void run() {
    for (;;) {
      follow();
      next_place();
    }
  }

 private:
  [[noreturn]] void fail(std::string_view text) const {
    gst::fail(text, places_ > 0 ? FetcherKind::no_place : FetcherKind::error);
  }

  // Until all of it is passed on, it breaks off, or another place of it is asked for.
  void follow() {
    connections_ = 0;
    for (int hops = 0; hops <= kMaxRedirects; ++hops) {
      if (get()) return;
      CURLUcode why{};
      auto next = Url::resolve(url_.text, headers_.location, why);
      if (!next) fail(kNotHttps);
      url_ = std::move(*next);
    }
    fail("It leads from one place to the next without end.");
  }

  // Where the decoder wants to read on, or where it broke off: a server waits less long than a room
  // that is paused. The bounds are for a decoder that has been taken over.
  void next_place() {
    decoder_ = body_.look(!std::exchange(broke_off_, false));
    if (decoder_ == BodyWriter::Decoder::gone) _exit(0);
    if (++places_ > rules_.most_places) fail("Too many places of it were asked for.");
    next_place_ =
        std::max(next_place_ + kBetweenPlaces, Clock::now() - kPlacesAtOnce * kBetweenPlaces);
    std::this_thread::sleep_until(next_place_);
    while (decoder_ == BodyWriter::Decoder::asks) {
      place_ = body_.go().offset;
      decoder_ = body_.look();
    }
    if (decoder_ == BodyWriter::Decoder::gone) _exit(0);
    if (validator_.empty() || place_ >= size_) fail("There is no such place in it.");
    deadline_ = std::min(Clock::now() + rules_.answer, end_);
  }

  // False: it leads elsewhere (headers_.location).
  bool get() {
    headers_ = {};
    in_body_ = false;
    refused_address_ = false;
    listed_ = std::ranges::any_of(rules_.hosts, [this](const std::string& host) {
      return strcasecmp(host.c_str(), url_.host.c_str()) == 0;
    });
    easy_.reset(curl_easy_init());
    if (!easy_) fail("The mixer has no memory left.");
    set_up();
    const CURLcode code = curl_easy_perform(easy_.get());
    if (decoder_ == BodyWriter::Decoder::gone) _exit(0);  // nobody wants it any more
    if (decoder_ == BodyWriter::Decoder::asks) return true;
    if (code == CURLE_OK && in_body_ && (validator_.empty() || position_ == size_)) {
      finish_body();
      return true;
    }
    broke_off_ =
        in_body_ && !late_ && !validator_.empty() && position_ > place_ && position_ < size_;
    if (broke_off_) {
      place_ = position_;
      return true;
    }
    const long status = response();
    if (!in_body_ && status >= 300 && status < 400 && !headers_.location.empty()) return false;
    if (!in_body_ && status >= 300) fail("Its server says " + std::to_string(status) + ".");
    complain(code == CURLE_OK && in_body_ ? CURLE_PARTIAL_FILE : code);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    // What is not understood must not be left out.
    if (curl_easy_setopt(easy_.get(), option, value) != CURLE_OK) fail("It cannot be fetched.");
  }

  void set_up() {
    set(CURLOPT_URL, url_.text.c_str());
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_FOLLOWLOCATION, 0L);  // each hop is judged by its own host
    set(CURLOPT_PROXY, "");           // whatever the environment says: its address would be judged
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_USERAGENT, "jingle-mixer");
    std::string header = "Icy-MetaData: 1";
    if (streaming_) {
      set(CURLOPT_RANGE, (std::to_string(place_) + '-').c_str());
      header = "If-Range: " + validator_;
    }
    asked_headers_.reset(curl_slist_append(nullptr, header.c_str()));
    set(CURLOPT_HTTPHEADER, asked_headers_.get());
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    // The folder of the system's authorities is looked into all the same.
    if (const char* const file = ca_file(rules_)) set(CURLOPT_CAINFO, file);
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now());
    set(CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(1, left.count()));
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(rules_.most_bytes));
    set(CURLOPT_OPENSOCKETFUNCTION, &Fetcher::on_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Fetcher::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Fetcher::on_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Fetcher::on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  // libcurl's callbacks.

  // Judged is the very address that is connected to, so a name that changes its address in between
  // (DNS rebinding) gains nothing.
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto* const fetcher = static_cast<Fetcher*>(self);
    const auto ip = address_of(address->addr);
    if (!ip || !(fetcher->listed_ || is_public_unicast(*ip))) {
      fetcher->refused_address_ = true;
      return CURL_SOCKET_BAD;
    }
    if (++fetcher->connections_ > kMaxConnections) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* self) {
    static_cast<Fetcher*>(self)->headers_.take({data, bytes});
    return bytes;
  }

  static std::size_t on_bytes(char* data, std::size_t, std::size_t bytes, void* self) {
    return static_cast<Fetcher*>(self)->take({data, bytes}) ? bytes : 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* const fetcher = static_cast<Fetcher*>(self);
    fetcher->late_ = Clock::now() > fetcher->deadline_;
    if (fetcher->streaming_ && fetcher->decoder_ == BodyWriter::Decoder::content) {
      fetcher->decoder_ = fetcher->body_.look();
    }
    return fetcher->late_ || fetcher->decoder_ != BodyWriter::Decoder::content ? 1 : 0;
  }

  long response() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  // Of this body, as its server says.
  std::optional<std::uint64_t> length() const {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length < 0) return {};
    return static_cast<std::uint64_t>(length);
  }

  // False: no more of this.
  bool take(std::string_view bytes) {
    if (!in_body_) {
      if (response() / 100 != 2) return false;
      in_body_ = true;
      if (streaming_) {
        judge_place();
      } else {
        icy_.emplace(headers_.icy_interval);
      }
    }
    fetched_ += bytes.size();
    if (fetched_ > rules_.most_bytes) fail(kTooLarge);
    tell_title();
    icy_->feed(
        bytes, [this](std::string_view part) { take_body(part); },
        [this](std::string title) {
          title_ = std::move(title);
          tell_title();
        });
    // Waiting until it is wanted was none of the server's fault.
    if (!listing_ && streaming_) deadline_ = std::min(Clock::now() + rules_.silence, end_);
    return decoder_ == BodyWriter::Decoder::content;
  }

  // The last, of those that have come too soon after the one before.
  void tell_title() {
    if (!streaming_ || title_.empty() || Clock::now() < next_title_) return;
    next_title_ = Clock::now() + kBetweenTitles;
    say(FetcherKind::title, std::exchange(title_, ""));
  }

  // The place asked for, of what it was before; or all of that: then what is before the place is
  // left out.
  void judge_place() {
    const std::string& said = is_strong_etag(validator_) ? headers_.etag : headers_.last_modified;
    const bool whole = response() == 200 && said == validator_ && length() == size_;
    const bool part = response() == 206 && (said.empty() || said == validator_);
    if (!whole && !part) fail("It has changed meanwhile.");
    if (part &&
        parse_content_range(headers_.content_range) != ContentRange{place_, size_ - 1, size_}) {
      fail("Its server gives another part of it than is asked for.");
    }
    position_ = part ? place_ : 0;
  }

  void take_body(std::string_view part) {
    if (streaming_) return pass_on(part);
    beginning_ += part;
    if (!listing_ && beginning_.size() >= kBeginning) begin_body();
    if (listing_ && beginning_.size() > limits::kMaxListBytes) fail("That list is too long.");
  }

  // Enough of it is there to tell what it is.
  void begin_body() {
    listing_ = is_play_list(headers_.content_type, beginning_);
    if (listing_) return;
    streaming_ = true;
    end_ = Clock::now() + rules_.longest;
    say(headers_.is_station ? FetcherKind::station : FetcherKind::stream, headers_.station);
    size_ = length().value_or(0);
    if (rules_.most_places > 0 && headers_.takes_ranges && !headers_.is_station && size_ > 0) {
      validator_ = validator_of(headers_);
    }
    const FetchedSize size{validator_.empty() ? -1 : static_cast<std::int64_t>(size_)};
    if (!body_.begin(size)) _exit(0);
    pass_on(std::exchange(beginning_, ""));
  }

  // Waits while the decoder has enough.
  void pass_on(std::string_view part) {
    if (decoder_ != BodyWriter::Decoder::content) return;
    const std::uint64_t before = position_ < place_ ? place_ - position_ : 0;
    position_ += part.size();
    part.remove_prefix(std::min<std::uint64_t>(before, part.size()));
    if (!part.empty()) decoder_ = body_.write(part);
  }

  void finish_body() {
    if (!streaming_) begin_body();
    if (listing_) tell_list();
    if (decoder_ == BodyWriter::Decoder::content) decoder_ = body_.end();
    if (validator_.empty()) _exit(0);
  }

  [[noreturn]] void tell_list() const {
    const auto entries = parse_play_list(beginning_);
    if (!entries) fail("Streams in pieces (HLS) are not played.");
    bool any = false;
    for (const std::string& entry : *entries) {
      CURLUcode why{};
      const auto url = Url::resolve(url_.text, entry, why);
      if (!url || url->text.size() > kMaxChildMessageBytes) continue;
      say(FetcherKind::entry, url->text);
      any = true;
    }
    if (!any) fail("It is a list, and nothing in it is an https URL.");
    say(FetcherKind::list);
    _exit(0);
  }

  [[noreturn]] void complain(CURLcode code) const {
    if (late_) {
      fail(!streaming_            ? "Its server does not answer in time."
           : Clock::now() >= end_ ? "It is too long."
                                  : "Nothing more comes of it.");
    }
    switch (code) {
      case CURLE_OK: fail("There is nothing in it.");
      case CURLE_COULDNT_RESOLVE_HOST: fail("There is no host of the name " + url_.host + ".");
      case CURLE_COULDNT_CONNECT:
        if (refused_address_) {
          fail(url_.host + " is no public host, nor one that may be played from.");
        }
        fail("No connection to " + url_.host + " can be made.");
      case CURLE_OPERATION_TIMEDOUT: fail("Its server does not answer in time.");
      case CURLE_PEER_FAILED_VERIFICATION:
        fail("The certificate of " + url_.host + " is not to be trusted.");
      case CURLE_SSL_CACERT_BADFILE: fail("The mixer cannot read its certificate authorities.");
      case CURLE_FILESIZE_EXCEEDED: fail(kTooLarge);
      default:
        fail(streaming_ ? "The connection to " + url_.host + " was lost."
                        : "The connection to " + url_.host + " failed.");
    }
  }

  static constexpr const char* kTooLarge = "It is too large.";

  const FetchRules rules_;
  Clock::time_point deadline_;  // of whatever is waited for
  Clock::time_point end_{};     // of a stream

  // Of a place asked for.
  std::uint64_t place_ = 0;     // where it is
  std::uint64_t position_ = 0;  // of what comes
  int connections_ = 0;
  std::uint32_t places_ = 0;
  Clock::time_point next_place_{};  // may be asked for

  // Of this hop.
  Url url_;
  bool listed_ = false;  // its host may have any address
  bool refused_address_ = false;
  bool late_ = false;
  std::unique_ptr<CURL, CurlFree> easy_;
  std::unique_ptr<curl_slist, CurlFree> asked_headers_;
  ResponseHeaders headers_;
  bool in_body_ = false, broke_off_ = false;

  // Of what is at the end of them.
  bool listing_ = false, streaming_ = false;
  std::string validator_;   // empty: no place of it can be asked for
  std::uint64_t size_ = 0;  // else
  BodyWriter body_{kChildExtra_fd};
  BodyWriter::Decoder decoder_ = BodyWriter::Decoder::content;
  std::optional<IcyStream> icy_;
  std::string title_;               // that is to be told
  Clock::time_point next_title_{};  // may be told
  std::string beginning_;           // a list as a whole
  std::uint64_t fetched_ = 0;
};

std::string read_input() {
  std::string all;
  char part[4096];
  for (off_t at = 0;;) {
    const ssize_t got = pread(kChildInput_fd, part, sizeof part, at);
    if (got <= 0) return all;
    all.append(part, static_cast<std::size_t>(got));
    at += got;
  }
}

}  // namespace

std::optional<int> fetcher_main(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[1], kFetcherArgument) != 0) return std::nullopt;
  limit_resources();
  std::signal(SIGPIPE, SIG_IGN);
  auto request = FetchRequest::parse(read_input());
  if (!request) fail("It cannot be fetched.");
  if (!enter_fetcher_sandbox(ca_file(request->rules))) fail("The fetcher cannot be locked in.");
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fail("It cannot be fetched.");
  Fetcher(std::move(*request)).run();
}

}  // namespace media::gst
