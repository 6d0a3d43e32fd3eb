// Names that nodes of the tape can point to for ever.
#pragma once

#include <string_view>

namespace gradus {

// A copy of the name that is never destroyed; equal names share it.
const char* interned(std::string_view name);

}  // namespace gradus
