// Watches gradients and updates while a model trains.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradus/optim/diagnostics.hpp"
#include "gradus/train/callback.hpp"
#include "gradus/train/diagnosis.hpp"

namespace gradus::train {

struct GradientMonitorOptions {
  std::int64_t every = 0;  // steps from one look to the next; 0: one look an epoch, in its middle
  bool layers = true;      // a column for each module that has parameters
  optim::DiagnosticLimits limits = {};
};

// Adds the columns grad_norm, of all gradients as one vector before they are clipped, grad_norm/<path> of each module
// that has parameters, and update_ratio, |change of the weights| / |weights| by a step: the means over the looks of the
// epoch. A look reads gradients and parameters and copies the latter: about one step's work. Of a run that is resumed
// the columns are as if it had never ended; what was seen() starts anew.
class GradientMonitor : public Callback {
 public:
  // Throws if `every` is negative.
  explicit GradientMonitor(const GradientMonitorOptions& options = {});

  void on_train_begin(Run& run) override;
  void on_epoch_begin(Run& run) override;
  void on_backward_end(Run& run) override;
  void on_step_end(Run& run) override;
  void on_epoch_end(Run& run) override;
  std::map<std::string, Tensor> state_dict() const override;
  void load_state_dict(const std::map<std::string, Tensor>& state) override;

  // The worst of each illness so far, and the epoch in which it was seen.
  struct Seen {
    Symptom symptom;
    std::int64_t epoch;
  };
  const std::vector<Seen>& seen() const { return seen_; }
  // The same as a diagnosis.
  Diagnosis diagnosis() const;

 private:
  bool is_due(const Run& run) const;
  void judge(const Run& run);

  GradientMonitorOptions options_;
  std::int64_t looks_ = 0;        // in this epoch
  std::int64_t next_ = 0;         // the step at which the next look is due
  bool is_looking_ = false;       // between backward and step
  std::vector<NamedValue> sums_;  // over the looks of this epoch, one for each column
  std::vector<Tensor> before_;    // the parameters
  optim::Diagnostics look_;       // the gradients' part of it, until the step is done
  std::vector<Seen> seen_;
};

std::shared_ptr<GradientMonitor> gradient_monitor(const GradientMonitorOptions& options = {});

}  // namespace gradus::train
