// What the columns of a history are about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/train/history.hpp"

namespace gradus::train {

// A number and the same for the validation set; either may be missing.
struct JudgedColumn {
  std::string name;   // of both: "loss"
  std::string train;  // "loss" or ""
  std::string valid;  // "valid_loss" or ""
};

struct Columns {
  explicit Columns(const History& history);

  std::vector<JudgedColumn> losses, metrics;
  std::vector<std::string> rates;       // "lr", "lr_1"
  std::vector<std::string> updates;     // "update_ratio..."
  std::vector<std::string> grad_norms;  // of all gradients
  std::vector<std::string> layers;      // "grad_norm/<path>"
};

// "valid_loss" as people write it: "valid loss".
std::string spaced(std::string name);

// The column along the horizontal axis: "epoch", or the rows counted from 1.
std::vector<double> epochs_of(const History& history);

// "0.0321", "12345", "1.2e-05"; "" for NaN.
std::string short_number(double value);

}  // namespace gradus::train
