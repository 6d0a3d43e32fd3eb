// Tables: classification and regression on four well-known ones, with a network of one hidden layer. What counts is
// the part that was held out; as the tables are small, five different parts are, one after the other.
//
//   tabular [folder with the tables; default: examples/data]
#include <gradus/gradus.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>
using namespace gradus;

namespace {

struct Task {
  std::string name;
  std::int64_t classes;  // 0: regression
  double expected;       // accuracy, or R2
};

struct Split {
  data::Dataset train, test;
};

// The scaler sees the training part alone.
Split load(const std::string& path, const Task& task, std::uint64_t seed) {
  const Dtype target_dtype = task.classes > 0 ? int64 : float32;
  auto [train, test] = data::read_csv(path, {.target_dtype = target_dtype}).split(0.75, {.seed = seed});
  const data::StandardScaler scaler(train.x);
  train.x = scaler.transform(train.x);
  test.x = scaler.transform(test.x);
  if (task.classes == 0) {
    const data::StandardScaler target_scaler(train.y);
    train.y = target_scaler.transform(train.y);
    test.y = target_scaler.transform(test.y);
  }
  return {train, test};
}

Tensor loss_of(const Tensor& output, const Tensor& y, const Task& task) {
  return task.classes > 0 ? cross_entropy(output, y) : mse_loss(output.flatten(), y);
}

// Accuracy, or R2: the share of the variance that is explained.
double score(nn::Module& model, const data::Dataset& set, const Task& task) {
  NoGrad guard;
  model.eval();
  const Tensor output = model(set.x);
  if (task.classes > 0) return eq(argmax(output, 1), set.y).to(float64).mean().item();
  return 1 - mse_loss(output.flatten(), set.y).item() / var(set.y, {}, {.correction = 0}).item();
}

double train_and_score(const Split& split, const Task& task) {
  nn::Sequential model(nn::Linear(split.train.x.size(1), 32), nn::ReLU(), nn::Dropout(0.2),
                       nn::Linear(32, std::max<std::int64_t>(task.classes, 1)));
  optim::AdamW optimizer(model.parameters(), {.lr = 3e-3, .weight_decay = 0.1});
  data::DataLoader loader(split.train, {.batch_size = 32, .shuffle = true});
  const std::int64_t epochs = 60;
  optim::CosineAnnealingLR schedule(optimizer, {.T_max = epochs * loader.size()});
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      loss_of(model(x), y, task).backward();
      optimizer.step();
      schedule.step();
    }
  }
  return score(model, split.test, task);
}

int run(const std::string& folder) {
  const std::vector<Task> tasks = {
      {"iris", 3, 0.93}, {"wine", 3, 0.95}, {"breast_cancer", 2, 0.95}, {"diabetes", 0, 0.4}};
  const int splits = 5;
  bool all_well = true;
  std::printf("%-14s %-22s %6s %6s %6s\n", "table", "held out", "mean", "worst", "best");
  for (const Task& task : tasks) {
    std::vector<double> scores;
    for (int seed = 1; seed <= splits; ++seed) {
      manual_seed(seed);
      scores.push_back(train_and_score(load(folder + "/" + task.name + ".csv", task, seed), task));
    }
    double mean = 0;
    for (double one : scores) mean += one / splits;
    const auto [worst, best] = std::minmax_element(scores.begin(), scores.end());
    std::printf("%-14s %-22s %6.3f %6.3f %6.3f\n", task.name.c_str(), task.classes > 0 ? "accuracy" : "R2", mean,
                *worst, *best);
    all_well = all_well && mean >= task.expected;
  }
  return all_well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "examples/data");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
