#include "tests/support/raw_client.h"

namespace support {
namespace {

constexpr char kHeader[] =
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, const std::string& user, const std::string& password,
                     const std::string& resource)
    : stream_(Stream::dial(port)) {
  using std::string_literals::operator""s;
  stream_.write(kHeader);
  stream_.read_until("</stream:features>");
  stream_.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
                base64("\0"s + user + "\0"s + password) + "</auth>");
  stream_.read_until("<success");
  if (!stream_.found()) return;
  stream_.write(kHeader);
  stream_.read_until("</stream:features>");
  stream_.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" +
                resource + "</resource></bind></iq>");
  stream_.read_until("</iq>");
  ready_ = stream_.found();
}

}  // namespace support
