// tools/call/document_sender.h: the conference documents that a caller sends as a focus does
// (XEP-0298 §6), good ones and bad ones: in order, one in flight. Pure. One thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tools/call/outbox.h"

namespace call {

class DocumentSender {
 public:
  DocumentSender(const std::vector<std::string>& documents, Outbox& out)
      : waiting_(documents.begin(), documents.end()), out_(out) {}

  // XML text; the first "{sid}" in it becomes the session's. What is not well-formed would end the
  // stream and is not sent.
  void add(std::string document);
  // The session is connected, or its connection to the server is back. Nothing is sent before.
  void start(const jingle::Jid& peer, const jingle::Sid& sid);
  // False: not an answer to one of ours. Otherwise it is told as "document-answer", with "result"
  // or the error's condition.
  bool on_answer(const jingle::Iq& iq);

 private:
  void send_next();

  std::deque<std::string> waiting_;
  Outbox& out_;
  jingle::Jid peer_;  // empty: not started
  jingle::Sid sid_;
  std::string in_flight_;  // the IQ's id
};

}  // namespace call
