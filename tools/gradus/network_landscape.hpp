#pragma once

#include <cstdint>
#include <string>

namespace gradus::tool {

struct NetworkOptions {
  std::int64_t epochs = 20;
  std::int64_t points = 25;
  std::uint64_t seed = 0;
};

// Trains a small network on the digits and writes a report on the loss around it: a slice along random directions, and
// the plane in which training went.
void write_network_landscape(const NetworkOptions& options, const std::string& path);

}  // namespace gradus::tool
