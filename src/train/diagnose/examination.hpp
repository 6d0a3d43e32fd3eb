// One training step, seen from inside.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/optim/diagnostics.hpp"
#include "gradus/train/diagnose.hpp"

namespace gradus::train::doctor {

// The one who is examined.
struct Patient {
  nn::Module& model;
  const LossFunction& loss;
  const data::Dataset& batch;
  const DiagnoseOptions& options;

  Tensor loss_of(const data::Dataset& samples) const { return loss(model(samples.x), samples.y); }
  // A step of the optimizer on the batch; the loss before it.
  Tensor step() const;
  // The parameters that are trained.
  std::vector<Tensor> trainable() const;
};

// A call of a module without modules inside.
struct LayerSeen {
  std::string path;
  bool is_weighted = false;  // it has a weight of two or more dims that is not all 0
  bool input_finite = true, output_finite = true;
  double spread = 0;  // of the output
};

// An activation: a module, or an op that a module calls; then `path` is that of the last layer before it.
struct ActivationSeen {
  std::string path, op;
  std::int64_t units = 0;
  double dead_units = 0;  // share of units that are 0 for every sample
  double saturated = 0;   // share of entries
  bool is_output = false;
};

// The gradient by the steps of a sequence that goes into a recurrent layer.
struct SequenceSeen {
  std::string path;
  Tensor input;
};

struct Examination {
  std::vector<LayerSeen> layers;  // in the order of calls
  std::vector<ActivationSeen> activations;
  std::vector<SequenceSeen> sequences;
  std::string entrance;  // the first layer with weights, other than a normalization
  Tensor entering;       // what goes into it
  Tensor output;         // without history
  std::string last_op;   // that computed it, views left out
  double loss = 0;
  bool has_gradient = false;           // the loss depends on something that is trained
  optim::Diagnostics step;             // gradients and, with an optimizer, updates
  std::vector<std::string> symmetric;  // parameters whose units are equal, and stay so
  bool forward_finite() const;
};

// Forward, backward and a step. The caller puts the model back.
Examination examine(const Patient& patient);

}  // namespace gradus::train::doctor
