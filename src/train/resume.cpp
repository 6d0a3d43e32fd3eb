// The state of a run in a file: whatever happens to the process, the run goes on from there as if it had never ended.
#include <filesystem>

#include "gradus/factory.hpp"
#include "gradus/io.hpp"
#include "gradus/random.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"
#include "train/loop.hpp"
#include "train/texts.hpp"

namespace gradus::train {
namespace {

constexpr std::string_view format_key = "format", format = "gradus.fit.1";
constexpr std::string_view fact_prefix = "run.";

std::vector<NamedValue> only_row(const History& history) {
  if (history.size() != 1) fail("the row of an epoch has {} rows", history.size());
  std::vector<NamedValue> row;
  for (const std::string& name : history.names()) row.emplace_back(name, history.last(name));
  return row;
}

void check_dtypes(const StateDict& state, const StateDict& model) {
  for (const auto& [name, value] : model) {
    const auto found = state.find(name);
    if (found != state.end() && found->second.dtype() != value.dtype()) {
      fail("{} of the model was {}, is {}", name, found->second.dtype(), value.dtype());
    }
  }
}

// A metric or callback that keeps a state must find it, one that keeps none may have none.
template <class Part>
void restore(Part& part, const StateDict& state) {
  if (state.empty() && part.state_dict().empty()) return;
  part.load_state_dict(state);
  const StateDict taken = part.state_dict();
  for (const auto& [key, value] : state) {
    if (!taken.contains(key)) fail("unexpected key: {}", key);
  }
}

}  // namespace

// What has to be the same for the run to be the same.
std::vector<std::pair<std::string, std::string>> Loop::facts() const {
  const FitOptions& o = options_;
  std::string layers, metrics, callbacks;
  for (const nn::Module* module : run_.model.modules()) layers += type_of(*module) + " ";
  for (const auto& metric : o.metrics) metrics += metric->name() + " ";
  for (const auto& callback : o.callbacks) callbacks += type_of(*callback) + " ";
  std::vector<std::pair<std::string, std::string>> all = {
      {"model", layers},
      {"optimizer", type_of(run_.optimizer)},
      {"schedule", o.schedule ? type_of(*o.schedule) : "none"},
      {"schedule_step", o.schedule_step == ScheduleStep::batch ? "batch" : "epoch"},
      {"train", text_of(&loader_.dataset())},
      {"valid", text_of(valid_)},
      {"batch_size", formatted("{}", o.batch_size)},
      {"shuffle", o.shuffle ? "true" : "false"},
      {"accumulate", formatted("{}", o.accumulate)},
      {"clip_grad_norm", text_of(o.clip_grad_norm)},
      {"clip_grad_value", text_of(o.clip_grad_value)},
      {"ema_decay", text_of(o.ema_decay)},
      {"sam", o.sam ? formatted("{} {}", o.sam->options().rho, o.sam->options().adaptive) : "none"},
      {"seed", text_of(o.seed)},
      {"metrics", metrics},
      {"callbacks", callbacks}};
  for (const auto& [name, value] : o.resume_settings) all.emplace_back("setting " + name, value);
  return all;
}

void Loop::save_state() const {
  StateDict state{{"run.epoch", tensor(run_.epoch)},
                  {"run.in_epoch", tensor(std::int64_t{in_epoch_})},
                  {"run.next_batch", tensor(next_batch_)},
                  {"run.step", tensor(run_.step)},
                  {"run.samples", tensor(epoch_loss_.samples)},
                  {"run.loss_sum", tensor(epoch_loss_.sum, {.dtype = float64})},
                  {"run.loss", tensor(run_.loss, {.dtype = float64})},
                  {"run.seconds", tensor(seconds(), {.dtype = float64})}};
  if (!rates_.empty()) state.emplace("run.rates", tensor(rates_, {.dtype = float64}));
  add_part(state, "model.", run_.model.state_dict());
  add_part(state, "optimizer.", run_.optimizer.state_dict());
  if (options_.schedule) add_part(state, "schedule.", options_.schedule->state_dict());
  if (average_) add_part(state, "average.", average_->state_dict());
  for (std::size_t i = 0; i < options_.metrics.size(); ++i) {
    if (in_epoch_) add_part(state, formatted("metrics.{}.", i), options_.metrics[i]->state_dict());
  }
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    add_part(state, formatted("callbacks.{}.", i), options_.callbacks[i]->state_dict());
  }
  History row;
  row.append(run_.row);
  Texts texts{{std::string(format_key), std::string(format)},
              {"history", history_.to_json()},
              {"row", row.to_json()},
              {"generator_seed", std::to_string(default_generator().seed())},
              {"generator_position", std::to_string(default_generator().position())},
              {"loader_seed", std::to_string(loader_.seed())}};
  if (run_.stop_reason && !interrupted_) texts.emplace("stop_reason", *run_.stop_reason);
  for (const auto& [name, value] : facts()) texts.emplace(std::string(fact_prefix) + name, value);
  save(state, options_.resume, {.metadata = texts});
}

// From nothing, or from where the state says.
void Loop::begin_run() {
  const std::string& path = options_.resume;
  std::error_code error;
  if (!path.empty() && (std::filesystem::exists(path, error) || error)) return resume();
  announce(&Callback::on_train_begin);
  if (!path.empty()) save_state();  // that it can't be written is better known before an epoch is trained than after
}

void Loop::resume() {
  const auto naming_the_file = [&](const auto& take) {
    try {
      take();
    } catch (const Error& refused) {
      fail("fit: resume: {}: {}", options_.resume, refused.what());
    }
  };
  std::vector<StateDict> callbacks;
  naming_the_file([&] {
    StateDict state = load(options_.resume);
    const Texts texts = load_metadata(options_.resume);
    check_facts(texts);
    take_counts(take_part(state, "run."));
    take_parts(state);
    take_texts(texts);
    for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
      callbacks.push_back(take_part(state, formatted("callbacks.{}.", i)));
    }
    if (!state.empty()) fail("unexpected key: {}", state.begin()->first);
  });
  announce(&Callback::on_train_begin);
  naming_the_file([&] {
    for (std::size_t i = 0; i < callbacks.size(); ++i) restore(*options_.callbacks[i], callbacks[i]);
  });
}

void Loop::check_facts(const Texts& texts) const {
  const auto found = texts.find(std::string(format_key));
  if (found == texts.end() || found->second != format) fail("is not the state of a run of fit");
  for (const auto& [name, value] : facts()) {
    const std::string was = text(texts, std::string(fact_prefix) + name);
    if (was != value) fail("is the state of another run: {} was {}, is {}", name, was, value);
  }
}

void Loop::take_parts(StateDict& state) {
  const StateDict model = take_part(state, "model.");
  check_dtypes(model, run_.model.state_dict());
  run_.model.load_state_dict(model);
  run_.optimizer.load_state_dict(take_part(state, "optimizer."));
  if (options_.schedule) options_.schedule->load_state_dict(take_part(state, "schedule."));
  if (average_) average_->load_state_dict(take_part(state, "average."));
  for (std::size_t i = 0; i < options_.metrics.size(); ++i) {
    options_.metrics[i]->reset();
    const StateDict sums = take_part(state, formatted("metrics.{}.", i));
    if (in_epoch_) restore(*options_.metrics[i], sums);
  }
}

void Loop::take_counts(const StateDict& state) {
  optim::StateReader reader("run", state);
  run_.epoch = reader.count("epoch");
  in_epoch_ = reader.count("in_epoch") != 0;
  next_batch_ = reader.count("next_batch");
  run_.step = reader.count("step");
  epoch_loss_ = {.sum = reader.number("loss_sum"), .samples = reader.count("samples")};
  run_.loss = reader.number("loss");
  seconds_before_ = reader.number("seconds");
  if (run_.step > 0) rates_ = reader.numbers("rates", run_.optimizer.group_count());
  reader.finish();
  if (next_batch_ > run_.batches) fail("run: next_batch is {} of {}", next_batch_, run_.batches);
  if (in_epoch_ && run_.epoch == 0) fail("run: an epoch goes on, but it is number 0");
  if (in_epoch_ && (next_batch_ > 0) != (epoch_loss_.samples > 0)) {
    fail("run: {} samples in {} batches", epoch_loss_.samples, next_batch_);
  }
  run_.batch = next_batch_ - 1;
}

void Loop::take_texts(const Texts& texts) {
  history_ = History::from_json(text(texts, "history"));
  run_.row = only_row(History::from_json(text(texts, "row")));
  if (const auto stop = texts.find("stop_reason"); stop != texts.end()) run_.stop_reason = stop->second;
  Generator generator(number(texts, "generator_seed"));
  generator.set_position(number(texts, "generator_position"));
  default_generator() = generator;
  loader_ = data::DataLoader(
      loader_.dataset(),
      {.batch_size = options_.batch_size, .shuffle = options_.shuffle, .seed = number(texts, "loader_seed")});
  if (in_epoch_) enter_epoch();
}

}  // namespace gradus::train
