// What a model consists of: layers, shapes, parameters and work.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

struct SummaryRow {
  std::string path;                  // "blocks.0.up"; the model itself has none
  std::string layer;                 // the class: "Linear"
  std::int64_t depth = 0;            // how many modules it is inside of
  std::int64_t calls = 0;            // 0 too where only its forward was called, or another function
  std::optional<Shape> output = {};  // of the last call
  std::int64_t parameters = 0;       // its own, without those of modules inside
  std::int64_t trainable = 0;        // of these, those that require a gradient
  std::int64_t multiply_adds = 0;    // of its own ops, without those of modules inside, in all calls
};

// Columns add up to the totals.
struct Summary {
  std::vector<SummaryRow> rows;  // the model, then the modules inside, each before those inside it
  std::int64_t parameters = 0;
  std::int64_t trainable = 0;
  std::int64_t multiply_adds = 0;
  std::int64_t parameter_bytes = 0;
  std::int64_t buffer_bytes = 0;
  std::int64_t output_bytes = 0;  // of all calls of modules without modules inside

  std::int64_t frozen() const { return parameters - trainable; }
  std::string to_string() const;  // a table
};

// Runs the model once on `input`, in evaluation mode, and tells what it saw; the model is left as it was. Multiply-adds
// are those of the matrix products that the tape records on the way: matmul and what is made of it (linear, bmm,
// einsum), convolutions, recurrent layers, and attention of a query, key and value of their own; a module that runs
// twice counts twice.
Summary summary(Module& model, const Tensor& input);

std::ostream& operator<<(std::ostream& out, const Summary& summary);
inline std::string format_as(const Summary& summary) { return summary.to_string(); }

}  // namespace gradus::nn
