// coin/xml_schema.h: the schema of RFC 4575 §6 as code: one function for each complex type, its
// attributes, anyAttribute, children and any in the schema's order. The reader (xml_parse.cc) and
// the writer (xml_write.cc) both walk it, so what one knows the other knows. Inside coin only.
//
// Io is Reader or Writer; Ref<T> is T& or const T&. Its verbs: `key` a required attribute that may
// not be empty, `state`, `version`, `sid` the other attributes; `text` xs:string, `token` the types
// whose white space collapses, `required_…` minOccurs=1, `list` xs:list, `word` an enumeration,
// `number` xs:unsignedInt, `boolean`; `element` and `each` children of a complex type, `texts`
// repeated xs:string.
#pragma once

#include "coin/conference_info.h"
#include "coin/limits.h"

namespace coin {

template <class Io>
void describe(Io& io, typename Io::template Ref<Execution> x) {  // execution-type
  io.any_attribute(x.foreign);
  io.token("when", x.when);
  io.text("reason", x.reason);
  io.token("by", x.by);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<UriEntry> x) {  // uri-type
  io.any_attribute(x.foreign);
  io.key_token("uri", x.uri);
  io.text("display-text", x.display_text);
  io.text("purpose", x.purpose);
  io.element("modified", x.modified);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<Uris> x) {  // uris-type
  io.state(x.state);
  io.any_attribute(x.foreign);
  io.each("entry", x.entries, limits::kUris);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<MediumEntry> x) {  // conference-medium-type
  io.key("label", x.label);
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.required_text("type", x.type);
  io.word("status", x.status);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<AvailableMedia> x) {  // conference-media-type
  io.any_attribute(x.foreign);
  io.each("entry", x.entries, limits::kAvailableMedia);
}

template <class Io>
void describe(Io& io,
              typename Io::template Ref<ConferenceDescription> x) {  // conference-description-type
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.text("subject", x.subject);
  io.text("free-text", x.free_text);
  io.list("keywords", x.keywords);
  io.element("conf-uris", x.conf_uris);
  io.element("service-uris", x.service_uris);
  io.number("maximum-user-count", x.maximum_user_count);
  io.element("available-media", x.available_media);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<HostInfo> x) {  // host-type
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.token("web-page", x.web_page);
  io.element("uris", x.uris);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<ConferenceState> x) {  // conference-state-type
  io.any_attribute(x.foreign);
  io.number("user-count", x.user_count);
  io.boolean("active", x.active);
  io.boolean("locked", x.locked);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<Media> x) {  // media-type
  io.key("id", x.id);
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.text("type", x.type);
  io.text("label", x.label);
  io.text("src-id", x.src_id);
  io.word("status", x.status);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<SipDialogId> x) {  // sip-dialog-id-type
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.required_text("call-id", x.call_id);
  io.required_text("from-tag", x.from_tag);
  io.required_text("to-tag", x.to_tag);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<CallInfo> x) {  // call-type, a choice
  io.any_attribute(x.foreign);
  io.element("sip", x.sip);
  if (!x.sip) io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<Endpoint> x) {  // endpoint-type
  io.key("entity", x.entity);
  io.state(x.state);
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.element("referred", x.referred);
  io.word("status", x.status);
  io.word("joining-method", x.joining_method);
  io.element("joining-info", x.joining_info);
  io.word("disconnection-method", x.disconnection_method);
  io.element("disconnection-info", x.disconnection_info);
  io.each("media", x.media, limits::kMedia);
  io.element("call-info", x.call_info);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<Roles> x) {  // user-roles-type
  io.any_attribute(x.foreign);
  io.texts("entry", x.entries, limits::kRoles);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<User> x) {  // user-type
  io.uri_key("entity", x.entity);
  io.state(x.state);
  io.any_attribute(x.foreign);
  io.text("display-text", x.display_text);
  io.element("associated-aors", x.associated_aors);
  io.element("roles", x.roles);
  io.list("languages", x.languages);
  io.token("cascaded-focus", x.cascaded_focus);
  io.each("endpoint", x.endpoints, limits::kEndpoints);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<Users> x) {  // users-type
  io.state(x.state);
  io.any_attribute(x.foreign);
  io.each("user", x.users, limits::kUsers);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<SidebarsByVal> x) {  // sidebars-by-val-type
  io.state(x.state);
  io.any_attribute(x.foreign);
  io.each("entry", x.entries, limits::kSidebars);
}

// conference-type in two halves: the attributes a focus writes anew for each receiver, and the
// rest, which all receivers share. `sid` is not the schema's, and the document's root only has it.
template <class Io>
void describe_head(Io& io, typename Io::template Ref<ConferenceInfo> x) {
  io.uri_key("entity", x.entity);
  io.state(x.state);
  io.version(x.version);
}

template <class Io>
void describe_body(Io& io, typename Io::template Ref<ConferenceInfo> x) {
  io.any_attribute(x.foreign);
  io.element("conference-description", x.description);
  io.element("host-info", x.host_info);
  io.element("conference-state", x.conference_state);
  io.element("users", x.users);
  io.element("sidebars-by-ref", x.sidebars_by_ref);
  io.element("sidebars-by-val", x.sidebars_by_val);
  io.any(x.foreign);
}

template <class Io>
void describe(Io& io, typename Io::template Ref<ConferenceInfo> x) {  // conference-type
  describe_head(io, x);
  describe_body(io, x);
}

}  // namespace coin
