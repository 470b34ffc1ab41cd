// tests/support/https_server.h: a web server on loopback (https_server.py, which says what it
// knows), with a certificate of its own for localhost.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/data.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

class HttpsServer {
 public:
  // Serves that folder at that address.
  explicit HttpsServer(const std::string& folder, const std::string& address = "127.0.0.1")
      : certificate_(make_certificate(own_.path(), "localhost")),
        process_(
            {.argv = {"/usr/bin/python3", test_support::data("support/https_server.py"), folder,
                      certificate_.pem.string(), certificate_.key.string(), address}}) {
    const std::string word = "port ";
    if (!process_.wait_for_output("\n")) throw std::runtime_error(process_.output());
    port_ = process_.output().substr(word.size(), process_.output().find('\n') - word.size());
  }

  std::string url(const std::string& path, const std::string& host = "localhost") const {
    return "https://" + host + ":" + port_ + path;
  }
  // Who vouches for it.
  std::string ca_file() const { return certificate_.pem.string(); }
  // What it was asked for, and each "connection", in order.
  std::vector<std::string> log() const {
    std::istringstream lines(process_.output());
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    all.erase(all.begin());
    return all;
  }
  bool asked_for(const std::string& path) { return process_.wait_for_output(path + "\n"); }

 private:
  TempDir own_;
  Certificate certificate_;
  Process process_;
  std::string port_;
};

}  // namespace support
