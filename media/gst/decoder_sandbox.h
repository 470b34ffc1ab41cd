// media/gst/decoder_sandbox.h: what a process that decodes what strangers made may do: compute,
// read and write what it has open, and nothing else.
#pragma once

namespace media::gst {

// Memory, processor time, files, no core dump; and behind everybody else for the processor.
void limit_resources();
// From here on no file, socket or process can be opened, in no thread; such calls fail with EPERM.
// False: the kernel does not do that.
bool enter_sandbox();

}  // namespace media::gst
