// What train::fit costs over the loop written by hand: the same network on the same digits, trained by both in turn.
// Prints the median over the rounds of each way's time per step, and of its ratio to the loop.
#include <gradus/gradus.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "harness.hpp"

using namespace gradus;

namespace {

constexpr std::int64_t epochs = 20, batch_size = 32;  // as in the examples

struct Task {
  nn::Sequential model{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
  optim::AdamW optimizer{model.parameters(), {.lr = 3e-3}};
};

// The loss of the last epoch, as fit tells it.
double by_hand(const data::Dataset& digits) {
  manual_seed(0);
  Task task;
  data::DataLoader loader(digits, {.batch_size = batch_size, .shuffle = true});
  double mean = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    double total = 0;
    for (const auto& [x, y] : loader) {
      task.optimizer.zero_grad();
      const Tensor loss = cross_entropy(task.model(x), y);
      loss.backward();
      task.optimizer.step();
      total += loss.item() * static_cast<double>(x.size(0));
    }
    mean = total / static_cast<double>(digits.size());
  }
  return mean;
}

double by_fit(const data::Dataset& digits, std::FILE* progress) {
  manual_seed(0);
  Task task;
  const train::History history = train::fit(
      task.model, nn::CrossEntropyLoss(), task.optimizer, digits,
      {.epochs = epochs, .batch_size = batch_size, .progress = progress != nullptr, .progress_stream = progress});
  return history.last("loss");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::stoi(argv[1]) : 41;
  set_num_threads(1);
  const data::Dataset digits = data::digits();
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  const long steps = epochs * ((digits.size() + batch_size - 1) / batch_size);
  std::vector<double> hand, fit, with_progress;
  for (int round = 0; round < rounds; ++round) {
    const auto us = [steps](const std::function<void()>& run) {
      return bench::seconds_of(run, 1).cpu / static_cast<double>(steps) * 1e6;
    };
    hand.push_back(us([&] { bench::require_real(by_hand(digits), "the loss by hand"); }));
    fit.push_back(us([&] { bench::require_real(by_fit(digits, nullptr), "the loss of fit"); }));
    with_progress.push_back(us([&] { bench::require_real(by_fit(digits, nowhere), "the loss of fit"); }));
  }
  std::fclose(nowhere);
  // Round by round: the machine may be faster in one than in the next.
  const auto tell = [&hand](const char* way, const std::vector<double>& times) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < times.size(); ++i) ratios.push_back(times[i] / hand[i]);
    std::printf("%-22s %8.2f us per step   %+.1f %%\n", way, bench::median(times), 100 * (bench::median(ratios) - 1));
  };
  tell("loop by hand", hand);
  tell("fit", fit);
  tell("fit, progress shown", with_progress);
}
