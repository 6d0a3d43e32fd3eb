// What a contest looks like.
#pragma once

#include <string>
#include <vector>

#include "gradus/contest.hpp"

namespace gradus::tool {

// The loss over steps, mean and band over seeds; in two dimensions beside the paths of the first seed on the map.
void save_race(const std::vector<Standing>& standings, const problems::Problem& problem, const std::string& path);
// Validation loss and score over steps.
void save_race(const std::vector<Standing>& standings, const std::string& data, const std::string& path);

}  // namespace gradus::tool
