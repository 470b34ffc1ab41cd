#include "tests/support/certificate.h"

#include <stdexcept>

#include "tests/support/process.h"

namespace support {

Certificate make_certificate(const std::filesystem::path& folder, const std::string& host) {
  Certificate result{folder / (host + ".crt"), folder / (host + ".key")};
  std::string output;
  const int code =
      run_command({.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                            "/CN=" + host, "-addext", "subjectAltName=DNS:" + host, "-keyout",
                            result.key.string(), "-out", result.pem.string()}},
                  &output);
  if (code != 0) throw std::runtime_error("openssl req: " + output);
  return result;
}

}  // namespace support
