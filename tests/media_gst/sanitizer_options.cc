// Defaults of AddressSanitizer for programs that load GLib.

// GLib replaces its table of quarks when it grows and lets go of the old one on purpose, because
// readers use it without a lock; the first is made while the library is loaded. Only with whole
// stacks can that be told from other memory of g_malloc's.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:call_init\n"; }
