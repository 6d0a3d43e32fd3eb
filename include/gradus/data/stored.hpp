// Where data sets are kept.
#pragma once

#include <string>

namespace gradus::data {

// The folder in which `gradus data fetch NAME` puts a data set, whether it is there or not: $XDG_DATA_HOME/gradus/NAME,
// by default ~/.local/share/gradus/NAME. Throws if the environment has neither XDG_DATA_HOME nor HOME.
std::string stored(const std::string& name);

}  // namespace gradus::data
