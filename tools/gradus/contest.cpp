#include "gradus/contest.hpp"

#include <chrono>
#include <cmath>
#include <limits>

#include <gradus/autograd.hpp>
#include <gradus/error.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "gradus/training.hpp"

namespace gradus::tool {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double diverged = 1e12;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Tensor start_of(const problems::Problem& problem, std::int64_t seed) {
  Tensor x = problem.starts.front().clone();
  if (seed == 0) return x;
  Generator generator(static_cast<std::uint64_t>(seed));
  const Tensor step = randn(x.shape(), {.dtype = float64, .generator = &generator});
  const double reach = problem.domain ? 0.05 * (problem.domain->x[1] - problem.domain->x[0]) : 0.1;
  return x + step * reach;
}

std::vector<double> coordinates(const Tensor& x) {
  const auto values = x.data<double>();
  return {values.begin(), values.end()};
}

Heat descend(const Contestant& contestant, const problems::Problem& problem, std::int64_t steps, std::int64_t seed) {
  Heat heat;
  const double start = now();
  Tensor x = start_of(problem, seed).detach().set_requires_grad();
  const auto optimizer = make_optimizer(contestant.optimizer, std::vector<Tensor>{x});
  const auto loss_here = [&] {
    const NoGrad guard;
    return problem(x).item();
  };
  heat.losses.push_back(loss_here());
  heat.path.push_back(coordinates(x));
  for (std::int64_t step = 0; step < steps; ++step) {
    try {
      optimizer->step([&] {
        if (!differentiates(contestant.optimizer.name)) optimizer->zero_grad();
        Tensor value = problem(x);
        if (!differentiates(contestant.optimizer.name)) value.backward();
        return value;
      });
    } catch (const Error&) {  // methods that look ahead refuse what is not finite
      heat.losses.push_back(infinity);
      break;
    }
    const double loss = loss_here();
    heat.losses.push_back(std::abs(loss) < diverged ? loss : infinity);
    if (heat.losses.back() == infinity) break;
    heat.path.push_back(coordinates(x));
  }
  heat.seconds = now() - start;
  return heat;
}

TrainingOptions options_of(const Contestant& contestant, TrainingOptions options, std::int64_t seed) {
  options.optimizer = contestant.optimizer;
  options.batch_size = contestant.batch_size;
  options.seed = static_cast<std::uint64_t>(seed);
  return options;
}

Heat learn(const Contestant& contestant, const TrainingOptions& common, std::int64_t seed) {
  const TrainingOptions options = options_of(contestant, common, seed);
  const Data data = load_data(options.data, options.seed);
  Training training = set_up(options, data);
  const double start = now();
  const train::History history = train_quietly(options, data, training);
  Heat heat;
  heat.seconds = now() - start;
  heat.first_step = heat.steps_per_value = (data.train.size() + options.batch_size - 1) / options.batch_size;
  if (history.contains("valid_loss")) {
    heat.losses = history.values("valid_loss");
    heat.scores = history.values("valid_" + score_name(data.encoding.task));
  }
  return heat;
}

template <class Reached>
double steps_to(const Heat& heat, const std::vector<double>& values, const Reached& reached) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (reached(values[i]))
      return static_cast<double>(heat.first_step + static_cast<std::int64_t>(i) * heat.steps_per_value);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Standing race(const Contestant& contestant, const problems::Problem& problem, const SurfaceRace& options) {
  Standing standing{contestant, {}};
  for (std::int64_t seed = 0; seed < options.seeds; ++seed)
    standing.heats.push_back(descend(contestant, problem, options.steps, seed));
  return standing;
}

Standing race(const Contestant& contestant, const TrainingOptions& options, std::int64_t seeds) {
  Standing standing{contestant, {}};
  for (std::int64_t seed = 0; seed < seeds; ++seed) standing.heats.push_back(learn(contestant, options, seed));
  return standing;
}

void check_race(const Contestant& contestant, const problems::Problem& problem) {
  make_optimizer(contestant.optimizer, std::vector<Tensor>{start_of(problem, 0).detach().set_requires_grad()});
}

void check_race(const Contestant& contestant, const TrainingOptions& options, const Data& data) {
  set_up(options_of(contestant, options, 0), data);
}

Summary summary_of(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  Summary summary{0, std::numeric_limits<double>::quiet_NaN()};
  for (const double value : values) summary.mean += value / count;
  if (values.size() < 2) return summary;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.std = std::sqrt(squares / (count - 1));
  return summary;
}

double steps_to_loss(const Heat& heat, double target) {
  return steps_to(heat, heat.losses, [&](double loss) { return loss <= target; });
}

double steps_to_score(const Heat& heat, double target) {
  return steps_to(heat, heat.scores, [&](double score) { return score >= target; });
}

}  // namespace gradus::tool
