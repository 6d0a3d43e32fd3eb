// The layer table: one row per layer and choice of options. nn_test.cpp runs every check on every row.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn.hpp"

struct LayerRow {
  std::string name;
  std::function<gradus::nn::AnyModule()> make;  // its parameters are float64
  gradus::Shape input, output;
  std::vector<std::pair<std::string, gradus::Shape>> parameters = {};
  std::vector<std::pair<std::string, gradus::Shape>> buffers = {};
  std::int64_t vocabulary = 0;  // if not 0, the input is int64 indices below it
};

const std::vector<LayerRow>& layer_table();
