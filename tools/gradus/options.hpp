// The options that several commands share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/data_spec.hpp"
#include "gradus/model_spec.hpp"
#include "gradus/optimizer_spec.hpp"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

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

// Throws naming the first of these options that was given: here it would count for nothing.
void refuse_options(const CLI::App& command, const std::vector<std::string>& names, const std::string& why);
// All options under a heading of the help.
std::vector<std::string> options_under(const CLI::App& command, const std::string& heading);

// What CLI11's own would say of a number that is out of range takes lines.
CLI::Validator positive();
CLI::Validator not_negative();

// DATA itself is added by the command: as a position, or as --on.
void add_data_options(CLI::App& command, DataOptions& options);
void add_model_options(CLI::App& command, ModelOptions& options);
void add_optimizer_options(CLI::App& command, OptimizerOptions& options);
// Schedule, epochs, loss, clipping.
void add_loop_options(CLI::App& command, TrainingOptions& options);
void add_batch_size(CLI::App& command, std::int64_t& batch_size);
void add_seed(CLI::App& command, std::uint64_t& seed);
// Early stopping and all of these.
void add_training_options(CLI::App& command, TrainingOptions& options);
// What all runs that are compared have in common.
void add_contest_options(CLI::App& command, TrainingOptions& options);

// What a search does not choose.
void add_search_options(CLI::App& command, TrainingOptions& options);

// "DATA", and what it may be.
std::string describe_data();

}  // namespace gradus::tool
