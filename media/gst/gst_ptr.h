// media/gst/gst_ptr.h: owning pointers for GLib's and GStreamer's counted things. Any thread.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <utility>

namespace media::gst {

// One reference to a GObject (an element, a pad, a bus, a clock). Copies take another.
template <class T>
class ObjectPtr {
 public:
  ObjectPtr() = default;
  ObjectPtr(std::nullptr_t) {}
  // Takes over a reference the caller owns.
  static ObjectPtr adopt(T* object) { return ObjectPtr(object); }
  // For what a constructor returned floating: sinks it.
  static ObjectPtr sink(T* object) {
    if (object) g_object_ref_sink(object);
    return ObjectPtr(object);
  }
  // Takes a reference of its own.
  static ObjectPtr share(T* object) {
    if (object) g_object_ref(object);
    return ObjectPtr(object);
  }
  ObjectPtr(const ObjectPtr& other) : object_(other.object_) {
    if (object_) g_object_ref(object_);
  }
  ObjectPtr(ObjectPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  ObjectPtr& operator=(ObjectPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~ObjectPtr() {
    if (object_) g_object_unref(object_);
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  T* release() { return std::exchange(object_, nullptr); }

 private:
  explicit ObjectPtr(T* object) : object_(object) {}
  T* object_ = nullptr;
};
using ElementPtr = ObjectPtr<GstElement>;
using PadPtr = ObjectPtr<GstPad>;

struct BufferUnref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, BufferUnref>;
struct CapsUnref {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsUnref>;
struct ContextUnref {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};
using ContextPtr = std::unique_ptr<GMainContext, ContextUnref>;

}  // namespace media::gst
