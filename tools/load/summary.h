// tools/load/summary.h: a load test's report in a few lines for people. Pure; any thread.
#pragma once

#include <string>

#include "tools/call/json.h"

namespace load {

std::string summary(const call::Json& report);

}  // namespace load
