// Where in the program something was called from.
#pragma once

#include <string>
#include <vector>

namespace gradus {

// The return addresses of the calls in progress, innermost first; empty where the system cannot tell. Microseconds.
std::vector<void*> calls_in_progress();

// "loss.cpp:12 in loss(double), called from train.cpp:30 in main": the innermost calls outside of the library. Without
// debug information the functions only, without addr2line those that the dynamic linker knows; "" if none.
// Milliseconds.
std::string describe_calls(const std::vector<void*>& calls);

}  // namespace gradus
