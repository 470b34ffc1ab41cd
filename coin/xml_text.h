// coin/xml_text.h: characters and names as XML 1.0 has them; pugixml takes both on trust. Inside
// coin only. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace coin {

// UTF-8, and only characters that XML can carry (§2.2 Char).
bool is_carriable(std::string_view text);

// A name without a colon (XML 1.0 §2.3, Namespaces in XML §3 NCName).
bool is_ncname(std::string_view name);

// Escaped so that any parser gives back the very same characters (§2.11, §3.3.3: carriage returns,
// and white space in attributes, go as character references). What XML cannot carry is left out:
// written as &#1; it would end the stream.
void append_text(std::string& out, std::string_view text);
void append_attribute_value(std::string& out, std::string_view text);

// XML Schema's whiteSpace facets: `collapse` for all types but xs:string.
std::string collapse(std::string_view text);

}  // namespace coin
