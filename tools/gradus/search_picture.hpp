// The trials of a search as lines through parallel axes.
#pragma once

#include <string>
#include <vector>

#include "gradus/search_space.hpp"
#include "gradus/search_state.hpp"

namespace gradus::tool {

// An axis per dimension, then the score and the loss that was judged; a line per trial.
void save_search(const std::vector<Trial>& trials, const std::vector<Dimension>& space, const std::string& score,
                 const std::string& path);

}  // namespace gradus::tool
