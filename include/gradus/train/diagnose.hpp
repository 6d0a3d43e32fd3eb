// The doctor: examines a model on a batch, or the curves of a run, and says what is wrong and what to try.
#pragma once

#include <cstdint>

#include "gradus/data/dataset.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/train/diagnosis.hpp"
#include "gradus/train/fit.hpp"
#include "gradus/train/history.hpp"

namespace gradus::train {

// When a number is called a symptom.
struct DiagnoseLimits {
  // Gradients and updates, by parameter. Per-layer spreads of a few orders of magnitude are common in healthy networks
  // [Glorot and Bengio, 2010, figure 7]; update_to_weight is about 1e-3 in them.
  optim::DiagnosticLimits steps = {};
  // Gradient by the first step of a sequence / by the last one. LSTMs with forget gates near 1/2 halve it each step.
  double through_time = 1e-6;

  // Share of a layer's units that are 0 for the whole batch. Half of them are not unusual at the start, where the
  // samples of a batch still look alike to deep layers [Lu et al., Dying ReLU and initialization, 2019].
  double dead_units = 0.8;
  // Share of entries with less than a twentieth of the slope in the middle [Glorot and Bengio, 2010, section 3].
  double saturated = 0.5;
  // How the spread of samples changes from the first layer to the last: He initialization keeps it, PyTorch's default
  // leaves 0.4 of it per ReLU layer [He et al., Delving deep into rectifiers, 2015].
  double signal_shrinks = 1e-3;
  double signal_grows = 1e3;

  double input_scale = 10;     // root mean square of a feature, at most; at 10 the sharpness is about 100 times larger
  double least_input = 1e-2;   // of the largest feature, at least
  double input_offset = 30;    // |mean| / deviation of a feature
  double target_scale = 100;   // root mean square of what a regression predicts, at most
  double least_target = 1e-3;  // at least
  double class_entropy = 0.7;  // of the targets / log(classes); two classes of 19 and 81 % have 0.7
  double conflicts = 0.1;      // share of samples with the input of another one and a different class

  double first_loss = 3;        // times log(classes), where the loss is a cross-entropy of logits
  double constant_loss = 100;   // times the loss of the best constant prediction, for any other loss
  double output_spread = 1e-5;  // of the outputs over the batch / their size, before and after a short training
  double overfit = 0.5;         // share of the constant prediction's loss that is left when a few samples were learnt

  // Learning rate / the largest stable one, 2 / sharpness for gradient descent. Above 1 a quadratic diverges. Networks
  // may settle where the loss is flatter, and train at about 1 [Cohen et al., Gradient descent on neural networks
  // typically occurs at the edge of stability, 2021]: below 2 a trial has to show that the loss rises.
  double stable_rate = 2;
  double least_rate = 1e-3;    // of the same, at least
  double trial_rise = 1.5;     // the loss after a trial / before it, at most
  double trial_peak = 5;       // the largest loss on the way / the first, at most
  double whole_update = 1;     // of a layer's norm in one step, if the trial doesn't halve the loss either
  double small_update = 1e-4;  // at least, if a far higher rate gains 10 times as much
};

struct DiagnoseOptions {
  optim::Optimizer* optimizer = nullptr;  // whose rates and updates are looked at; nothing of it changes
  bool trials = true;                     // train for a moment, to see whether a few samples can be learnt
  bool sharpness = true;                  // the largest eigenvalue of the Hessian, if the optimizer's rate is judged
  std::int64_t overfit_samples = 16;
  std::int64_t overfit_steps = 200;
  std::int64_t trial_steps = 40;  // with the optimizer, on the batch
  DiagnoseLimits limits = {};
};

// Runs the model on the batch as in training but for dropout: forward with an eye on every layer, backward, a step,
// short trainings. All of it is taken back, bit for bit, also if something throws: parameters, buffers, gradients, the
// optimizer's state, modes, and the position of the default generator. Costs some hundred steps of training; a batch
// of 32 to 256 samples is enough. Throws what the model or the loss throws.
Diagnosis diagnose(nn::Module& model, const LossFunction& loss, const data::Dataset& batch,
                   const DiagnoseOptions& options = {});

struct HistoryLimits {
  std::int64_t least_epochs = 5;  // with fewer nothing is said, but of numbers that are not finite
  double divergence = 0.5;        // rise above the least loss / what had been gained, at most
  double oscillation = 0.3;       // mean change from epoch to epoch / what was gained in all, of a curve that turns
  double turns = 0.5;             // share of epochs after which the loss turns round, for that
  double plateau = 0.02;          // share of the first loss that was gained, at least
  double plateau_length = 0.3;    // longest stretch without progress in the midst of a run, as a share of it
  double overfitting = 0.1;       // rise of valid_loss above its least value / that value, at most
  double still_falling = 0.15;    // share of all that was gained that comes from the last fifth of the epochs
  double update_ratio = 0.1;      // as optim::DiagnosticLimits::update_to_weight
  double least_update = 1e-5;
  double grad_norm = 1e3;
};

// The same from the curves of a run: loss, valid_loss, and grad_norm and update_ratio if gradient_monitor() was there.
// Throws if there is no column "loss".
Diagnosis diagnose(const History& history, const HistoryLimits& limits = {});

}  // namespace gradus::train
