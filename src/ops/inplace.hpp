// What in-place forms check.
#pragma once

#include "gradus/tensor.hpp"

namespace gradus {

// Throws for an expanded tensor, which has several elements in one place of memory: there is no one value to write.
void check_writable(const char* name, const Tensor& self);

}  // namespace gradus
