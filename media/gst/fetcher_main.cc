#include "media/gst/fetcher_main.h"

#include <curl/curl.h>
#include <netinet/in.h>
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
#include <utility>
#include <vector>

#include "media/gst/child_sandbox.h"
#include "media/gst/fetcher_messages.h"
#include "media/gst/public_address.h"
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
constexpr std::size_t kMaxHeaderBytes = 4096;
constexpr const char* kNotHttps = "It leads to what is no https URL.";

void say(FetcherKind kind, std::string_view text = {}) {
  say_to_parent(static_cast<std::uint32_t>(kind), text.data(),
                std::min<std::size_t>(text.size(), kMaxChildMessageBytes));
}

[[noreturn]] void fail(std::string_view text) {
  say(FetcherKind::error, text);
  _exit(1);
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
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

// One request after the other until there is something to play.
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
    for (int hops = 0; hops <= kMaxRedirects; ++hops) {
      get();
      CURLUcode why{};
      auto next = Url::resolve(url_.text, location_, why);
      if (!next) fail(kNotHttps);
      url_ = std::move(*next);
    }
    fail("It leads from one place to the next without end.");
  }

 private:
  // Returns if it leads elsewhere (location_).
  void get() {
    location_ = content_type_ = station_ = "";
    icy_interval_ = 0;
    is_station_ = false;
    refused_address_ = false;
    listed_ = std::ranges::any_of(
        rules_.hosts, [this](const std::string& host) { return same_word(host, url_.host); });
    easy_.reset(curl_easy_init());
    if (!easy_) fail("The mixer has no memory left.");
    set_up();
    const CURLcode code = curl_easy_perform(easy_.get());
    if (code == CURLE_OK && body_) finish_body();
    const long status = response();
    if (!body_ && status >= 300 && status < 400 && !location_.empty()) return;
    if (!body_ && status >= 300) fail("Its server says " + std::to_string(status) + ".");
    complain(code);
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
    headers_.reset(curl_slist_append(nullptr, "Icy-MetaData: 1"));
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    // The variable as OpenSSL takes it; the folder of the system's authorities is looked into all
    // the same.
    const char* const file =
        rules_.ca_file.empty() ? std::getenv("SSL_CERT_FILE") : rules_.ca_file.c_str();
    if (file) set(CURLOPT_CAINFO, file);
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
    static_cast<Fetcher*>(self)->take_header({data, bytes});
    return bytes;
  }

  static std::size_t on_bytes(char* data, std::size_t, std::size_t bytes, void* self) {
    return static_cast<Fetcher*>(self)->take({data, bytes}) ? bytes : 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* const fetcher = static_cast<Fetcher*>(self);
    fetcher->late_ = Clock::now() > fetcher->deadline_;
    return fetcher->late_ ? 1 : 0;
  }

  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) location_ = content_type_ = "";  // after 103, for one
    const std::size_t colon = line.find(':');
    if (colon == line.npos || line.size() > kMaxHeaderBytes) return;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
    if (same_word(name, "location")) location_ = value;
    if (same_word(name, "content-type")) content_type_ = value;
    // SHOUTcast's and Icecast's; that a length is missing says nothing.
    if (same_word(name.substr(0, 4), "icy-")) is_station_ = true;
    if (same_word(name, "icy-name")) station_ = as_utf8(value);
    if (same_word(name, "icy-metaint")) {
      icy_interval_ = std::strtoul(std::string(value).c_str(), nullptr, 10);
    }
  }

  long response() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  // False: no more of this.
  bool take(std::string_view bytes) {
    if (!body_) {
      if (response() / 100 != 2) return false;
      body_ = true;
      icy_.emplace(icy_interval_);
    }
    fetched_ += bytes.size();
    if (fetched_ > rules_.most_bytes) fail(kTooLarge);
    icy_->feed(
        bytes, [this](std::string_view part) { take_body(part); },
        [](const std::string& title) { say(FetcherKind::title, title); });
    // Waiting until it is wanted was none of the server's fault.
    if (!listing_ && streaming_) deadline_ = std::min(Clock::now() + rules_.silence, end_);
    return true;
  }

  void take_body(std::string_view part) {
    if (streaming_) return pass_on(part);
    beginning_ += part;
    if (!listing_ && beginning_.size() >= kBeginning) begin_body();
    if (listing_ && beginning_.size() > limits::kMaxListBytes) fail("That list is too long.");
  }

  // Enough of it is there to tell what it is.
  void begin_body() {
    listing_ = is_play_list(content_type_, beginning_);
    if (listing_) return;
    streaming_ = true;
    end_ = Clock::now() + rules_.longest;
    say(is_station_ ? FetcherKind::station : FetcherKind::stream, station_);
    pass_on(std::exchange(beginning_, ""));
  }

  // Waits while the decoder has enough.
  static void pass_on(std::string_view part) {
    while (!part.empty()) {
      const ssize_t wrote = write(kChildExtra_fd, part.data(), part.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) _exit(0);  // nobody wants it any more
      part.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }

  [[noreturn]] void finish_body() {
    if (!streaming_) begin_body();
    if (listing_) tell_list();
    _exit(0);
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
  int connections_ = 0;

  // Of this hop.
  Url url_;
  bool listed_ = false;  // its host may have any address
  bool refused_address_ = false;
  bool late_ = false;
  std::unique_ptr<CURL, CurlFree> easy_;
  std::unique_ptr<curl_slist, CurlFree> headers_;
  std::string location_, content_type_, station_;
  std::size_t icy_interval_ = 0;
  bool is_station_ = false;

  // Of what is at the end of them.
  bool body_ = false, listing_ = false, streaming_ = false;
  std::optional<IcyStream> icy_;
  std::string beginning_;  // a list as a whole
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
  if (!enter_fetcher_sandbox()) fail("The fetcher cannot be locked in.");
  auto request = FetchRequest::parse(read_input());
  if (!request || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fail("It cannot be fetched.");
  Fetcher(std::move(*request)).run();
}

}  // namespace media::gst
