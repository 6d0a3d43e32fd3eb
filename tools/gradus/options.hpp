// The options that several commands share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gradus/data_spec.hpp"
#include "gradus/model_spec.hpp"
#include "gradus/optimizer_spec.hpp"

namespace CLI {
class App;
}

namespace gradus::tool {

struct TrainingOptions {
  DataOptions data;
  ModelOptions model;
  OptimizerOptions optimizer;
  std::string schedule = "constant";
  std::int64_t epochs = 20;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 0;
  std::optional<double> clip = {};       // of the gradient's norm
  std::int64_t early_stopping = 0;       // epochs without a better validation loss; 0: never
  std::optional<std::string> loss = {};  // default: cross_entropy or mse
};

// DATA itself is added by the command: as a position, or as --on.
void add_data_options(CLI::App& command, DataOptions& options);
void add_model_options(CLI::App& command, ModelOptions& options);
void add_optimizer_options(CLI::App& command, OptimizerOptions& options);
// Schedule, epochs, batch size, clipping, early stopping, seed.
void add_training_options(CLI::App& command, TrainingOptions& options);

// "DATA", and what it may be.
std::string describe_data();

}  // namespace gradus::tool
