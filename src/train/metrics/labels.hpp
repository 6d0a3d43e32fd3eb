// Reads classes from what a model says and what it should have said.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus::train {

struct LabelOptions {
  double threshold = 0;
  std::int64_t ignore_index = -100;
};

// Scores as an array (outer, classes, inner), one label per outer and inner place.
struct ScoreLayout {
  std::int64_t outer = 1, classes = 1, inner = 1;
};

struct Labels {
  std::vector<std::int64_t> predicted, target;
  std::int64_t classes = 0;  // labels are below
};

// Which dim of the scores counts the classes, if the targets are labels. Throws Error, beginning with `op`, if none
// can.
ScoreLayout score_layout(const char* op, const Shape& scores, const Shape& labels);

// The labels in row-major order, whatever their dtype. Throws Error, beginning with `op`, unless all are whole.
void read_integers(const char* op, const Tensor& labels, std::vector<std::int64_t>& out);

// Throws Error, beginning with `op`, unless 0 <= label < classes.
void check_label(const char* op, std::int64_t label, std::int64_t classes);

// Places whose target is ignored are left out. `labels` lends its memory, so that no batch but the first allocates.
void read_labels(const char* op, const Tensor& prediction, const Tensor& target, const LabelOptions& options,
                 Labels& labels);

}  // namespace gradus::train
