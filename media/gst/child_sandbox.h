// media/gst/child_sandbox.h: what a process that meets what strangers made may do.
#pragma once

namespace media::gst {

// Memory, processor time, files, no core dump; and behind everybody else for the processor.
void limit_resources();
// From here on a decoder computes, reads and writes what it has open, and nothing else: no file,
// socket or process can be opened, in no thread; such calls fail with EPERM. False: the kernel does
// not do that.
bool enter_decoder_sandbox();
// A fetcher, which needs name servers, certificates and threads for them, starts no program,
// touches no process, speaks to none on this machine but by IP, and changes nothing in the file
// system. Where the kernel has Landlock it reads nothing else there than what names and
// certificates need, and `ca_file`, if there is one.
bool enter_fetcher_sandbox(const char* ca_file);

}  // namespace media::gst
