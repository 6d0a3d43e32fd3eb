// The state of a run in a file: whatever happens to the process, the run goes on from there as if it had never ended.
#include <cxxabi.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <typeinfo>

#include "gradus/factory.hpp"
#include "gradus/io.hpp"
#include "gradus/random.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"
#include "train/loop.hpp"

namespace gradus::train {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr std::string_view format_key = "format", format = "gradus.fit.1";
constexpr std::string_view fact_prefix = "run.";

template <class T>
std::string type_of(const T& object) {
  const char* mangled = typeid(object).name();
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr), std::free);
  return name ? name.get() : mangled;
}

std::string text_of(const data::Dataset* set) {
  if (!set) return "none";
  return fmt::format("{} {}, {} {}", set->x.dtype(), set->x.shape(), set->y.dtype(), set->y.shape());
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "none";
}

const std::string& text(const Texts& texts, const std::string& key) {
  const auto found = texts.find(key);
  if (found == texts.end()) fail("missing text: {}", key);
  return found->second;
}

std::uint64_t number(const Texts& texts, const std::string& key) {
  const std::string& digits = text(texts, key);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) fail("{} is not a whole number: {}", key, digits);
  return value;
}

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

// Puts weights, optimizer, schedule and random numbers back unless they are kept.
class Undo {
 public:
  Undo(Run& run, optim::LRScheduler* schedule)
      : run_(run),
        schedule_(schedule),
        model_(copies(run.model.state_dict())),
        optimizer_(copies(run.optimizer.state_dict())),
        generator_(default_generator()) {
    if (schedule) schedule_state_ = schedule->state_dict();
  }
  ~Undo() {
    if (kept_) return;
    run_.model.load_state_dict(model_);
    run_.optimizer.load_state_dict(optimizer_);
    if (schedule_) schedule_->load_state_dict(schedule_state_);
    default_generator() = generator_;
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

  void keep() { kept_ = true; }

 private:
  Run& run_;
  optim::LRScheduler* schedule_;
  StateDict model_, optimizer_, schedule_state_;
  Generator generator_;
  bool kept_ = false;
};

}  // namespace

// What has to be the same for the run to be the same.
std::vector<std::pair<std::string, std::string>> Loop::facts() const {
  const FitOptions& o = options_;
  std::string metrics, callbacks;
  for (const auto& metric : o.metrics) metrics += metric->name() + " ";
  for (const auto& callback : o.callbacks) callbacks += type_of(*callback) + " ";
  return {{"model", type_of(run_.model)},
          {"optimizer", type_of(run_.optimizer)},
          {"schedule", o.schedule ? type_of(*o.schedule) : "none"},
          {"schedule_step", o.schedule_step == ScheduleStep::batch ? "batch" : "epoch"},
          {"train", text_of(&loader_.dataset())},
          {"valid", text_of(valid_)},
          {"batch_size", fmt::format("{}", o.batch_size)},
          {"shuffle", o.shuffle ? "true" : "false"},
          {"accumulate", fmt::format("{}", o.accumulate)},
          {"clip_grad_norm", text_of(o.clip_grad_norm)},
          {"clip_grad_value", text_of(o.clip_grad_value)},
          {"ema_decay", text_of(o.ema_decay)},
          {"sam", o.sam ? fmt::format("{} {}", o.sam->options().rho, o.sam->options().adaptive) : "none"},
          {"seed", text_of(o.seed)},
          {"metrics", metrics},
          {"callbacks", callbacks}};
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
    if (in_epoch_) add_part(state, fmt::format("metrics.{}.", i), options_.metrics[i]->state_dict());
  }
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    add_part(state, fmt::format("callbacks.{}.", i), options_.callbacks[i]->state_dict());
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
  if (path.empty() || (!std::filesystem::exists(path, error) && !error)) {
    announce(&Callback::on_train_begin);
    return;
  }
  StateDict state = load(path);
  const Texts texts = load_metadata(path);
  Undo undo(run_, options_.schedule);
  try {
    check_facts(texts);
    take_counts(take_part(state, "run."));
    take_parts(state);
    take_texts(texts);
  } catch (const Error& refused) {
    fail("fit: resume: {}: {}", path, refused.what());
  }
  announce(&Callback::on_train_begin);
  try {
    take_callbacks(state);
    if (!state.empty()) fail("unexpected key: {}", state.begin()->first);
  } catch (const Error& refused) {
    fail("fit: resume: {}: {}", path, refused.what());
  }
  undo.keep();
}

void Loop::check_facts(const Texts& texts) const {
  const auto found = texts.find(std::string(format_key));
  if (found == texts.end() || found->second != format) fail("is not the state of a run of fit");
  for (const auto& [name, value] : facts()) {
    const std::string& was = text(texts, std::string(fact_prefix) + name);
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
    const StateDict sums = take_part(state, fmt::format("metrics.{}.", i));
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

void Loop::take_callbacks(StateDict& state) {
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    restore(*options_.callbacks[i], take_part(state, fmt::format("callbacks.{}.", i)));
  }
}

}  // namespace gradus::train
