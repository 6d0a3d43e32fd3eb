// The loop behind fit().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/data/loader.hpp"
#include "gradus/optim/averaged_model.hpp"
#include "gradus/optim/schedules/plateau.hpp"
#include "gradus/random.hpp"
#include "gradus/train/fit.hpp"
#include "gradus/train/progress.hpp"
#include "train/moving_average.hpp"

namespace gradus::train {

// The mean of what single batches say, each weighing as much as it has samples.
struct Mean {
  double sum = 0;
  std::int64_t samples = 0;

  void add(double value, std::int64_t count) {
    sum += value * static_cast<double>(count);
    samples += count;
  }
  double value() const { return sum / static_cast<double>(samples); }
};

// Whether it takes derivatives of the loss itself, as often as it needs.
bool wants_the_loss_alone(const optim::Optimizer& optimizer);

class Loop {
 public:
  Loop(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
       const data::Dataset* valid, const FitOptions& options);

  History run();

 private:
  using Moment = void (Callback::*)(Run&);
  void announce(Moment moment) {
    for (const auto& callback : options_.callbacks) (callback.get()->*moment)(run_);
  }

  bool goes_on() const;
  void train_epoch();
  void begin_epoch();
  void end_epoch();
  void notice_interrupt();
  double seconds() const;  // of this epoch
  void validate();

  void step();
  void take_batches();
  void move();
  Tensor loss_and_gradients();
  Tensor loss_alone();
  Tensor evaluate(std::size_t index, bool is_first);
  void clip();
  void observe(const Tensor& output, const Tensor& target, const Tensor& loss);

  void add_metrics(std::vector<NamedValue>& row, const char* prefix) const;
  void step_schedule_by_epoch();
  void write_notes();
  void show_progress();
  void finish();

  // Of resuming, in resume.cpp.
  using Texts = std::map<std::string, std::string>;
  std::vector<std::pair<std::string, std::string>> facts() const;
  void save_state() const;
  void begin_run();
  void resume();
  void check_facts(const Texts& texts) const;
  void take_parts(StateDict& state);
  void take_counts(const StateDict& state);
  void take_texts(const Texts& texts);
  void enter_epoch();

  const Generator generator_before_ = default_generator();  // the loader draws its seed from it
  const LossFunction& loss_;
  const FitOptions& options_;
  const data::Dataset* valid_;
  History history_;
  Run run_;
  std::vector<Tensor> parameters_;
  data::DataLoader loader_;
  optim::ReduceLROnPlateau* plateau_;  // the schedule, if it is one
  bool loss_alone_;                    // what the optimizer asks for, not gradients

  std::optional<MovingAverage> average_;
  std::optional<ProgressBar> bar_;

  std::optional<data::DataLoader::Iterator> batches_;  // of the epoch that goes on
  std::int64_t next_batch_ = 0;
  bool in_epoch_ = false;             // an epoch has begun and not ended
  bool interrupted_ = false;          // by Ctrl-C, which is no end for good
  std::vector<data::Dataset> group_;  // the batches of this step
  std::int64_t group_samples_ = 0;
  bool evaluated_ = false;  // in this step; an optimizer may ask for the loss again
  Mean epoch_loss_;
  std::vector<double> rates_;  // of the last step
  double epoch_started_ = 0;
  double seconds_before_ = 0;  // in this epoch, by the process that was resumed
};

}  // namespace gradus::train
