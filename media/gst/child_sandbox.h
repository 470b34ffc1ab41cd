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
// touches no process, and changes nothing in the file system.
bool enter_fetcher_sandbox();

}  // namespace media::gst
