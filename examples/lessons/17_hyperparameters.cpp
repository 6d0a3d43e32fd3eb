// Lesson 17: hyper-parameter search.
//
// The learning rate is not learnt: it is chosen, by training with several and looking at samples held out. Three ways
// to spend the same number of epochs on two hyper-parameters, learning rate and weight decay, both on a log scale:
//
//     grid                  k values of each, all k^2 pairs: but only k different learning rates
//     random                k^2 pairs drawn at random: k^2 different learning rates. If one of the two hardly matters,
//                           it looks k times as closely at the other (Bergstra and Bengio, JMLR 2012)
//     successive halving    many pairs for one epoch each; the better half for two, the better half of these for four:
//                           what is hopeless is seen early (Jamieson and Talwalkar, AISTATS 2016)
//
// The best of many tries looks better than it is, as its luck was chosen too: so the last word has a third part, the
// test set, which no search has seen.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int epochs = 8;     // of a whole training
const int grid_side = 5;  // so that all searches may spend grid_side^2 * epochs
const int searches = 5;   // of each random kind
const double lr_range[] = {1e-4, 1}, decay_range[] = {1e-4, 1};

struct Setting {
  double lr, decay;
};
struct Trial {
  Setting setting = {};
  double loss = 0;  // on the validation part
  double test = 0;  // for the last word: no search looks at it
};
bool better(const Trial& a, const Trial& b) { return a.loss < b.loss; }

struct Search {
  std::vector<Trial> trials;  // the last training of each setting
  int spent = 0;              // epochs

  const Trial& best() const { return *std::min_element(trials.begin(), trials.end(), better); }
};

// 200 digits to learn from, 300 to choose with, the others for the last word.
struct Parts {
  data::Dataset train, valid, test;
};
const Parts& digits() {
  static const Parts parts = [] {
    const auto [train, rest] = data::digits().split(200.0 / 1797, {.seed = 1});
    const auto [valid, test] = rest.split(300.0 / rest.size(), {.seed = 2});
    return Parts{train, valid, test};
  }();
  return parts;
}

// Trains a new network for so many epochs.
Trial train_with(const Setting& setting, int epochs, Search& search) {
  search.spent += epochs;
  manual_seed(1);
  nn::Sequential model(nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, 10));
  optim::AdamW optimizer(model.parameters(), {.lr = setting.lr, .weight_decay = setting.decay});
  const nn::CrossEntropyLoss loss;
  train::fit(model, loss, optimizer, digits().train, {.epochs = epochs, .batch_size = 25, .progress = false});
  NoGrad guard;
  return {setting, loss(model(digits().valid.x), digits().valid.y).item(),
          loss(model(digits().test.x), digits().test.y).item()};
}

// The value at this share of the way, on a log scale.
double between(const double (&range)[2], double share) { return range[0] * std::pow(range[1] / range[0], share); }

Setting draw(Generator& generator) {
  const Tensor u = rand({2}, {.dtype = float64, .generator = &generator});
  return {between(lr_range, u[0].item()), between(decay_range, u[1].item())};
}

Search grid() {
  Search search;
  for (int i = 0; i < grid_side; ++i)
    for (int j = 0; j < grid_side; ++j) {
      const double last = grid_side - 1;
      search.trials.push_back(
          train_with({between(lr_range, i / last), between(decay_range, j / last)}, epochs, search));
    }
  return search;
}

Search random(std::uint64_t seed) {
  Search search;
  Generator generator(seed);
  for (int i = 0; i < grid_side * grid_side; ++i) search.trials.push_back(train_with(draw(generator), epochs, search));
  return search;
}

Search halving(std::uint64_t seed) {
  Search search;
  Generator generator(seed);
  std::vector<Trial> alive(2 * grid_side * grid_side);
  for (Trial& trial : alive) trial.setting = draw(generator);
  for (int rung = 1; rung <= epochs; rung *= 2) {
    for (Trial& trial : alive) trial = train_with(trial.setting, rung, search);
    std::sort(alive.begin(), alive.end(), better);
    if (rung == epochs) break;
    search.trials.insert(search.trials.end(), alive.begin() + alive.size() / 2, alive.end());
    alive.resize(alive.size() / 2);
  }
  search.trials.insert(search.trials.end(), alive.begin(), alive.end());
  return search;
}

// One line; returns the chosen trial.
Trial report(const char* name, const Search& search) {
  const Trial& best = search.best();
  std::printf("%-12s %8d %10zu %10.4f %10.4f %12.4f %12.4f\n", name, search.spent, search.trials.size(),
              best.setting.lr, best.setting.decay, best.loss, best.test);
  return best;
}

int main(int argc, char** argv) {
  std::printf("%-12s %8s %10s %10s %10s %12s %12s\n", "search", "epochs", "settings", "best lr", "decay", "valid loss",
              "test loss");
  const Search by_grid = grid();
  const Trial best_of_grid = report("grid", by_grid);

  std::vector<Search> randoms, halvings;
  for (int seed = 1; seed <= searches; ++seed) {
    randoms.push_back(random(seed));
    halvings.push_back(halving(seed));  // begins with the same settings, and as many more
  }
  double mean_random = 0, mean_halving = 0, gap_of_chosen = 0, gap_of_all = 0;
  for (const Search& search : randoms) {
    const Trial best = report("random", search);
    mean_random += best.loss / searches;
    gap_of_chosen += (best.test - best.loss) / searches;
    for (const Trial& trial : search.trials) gap_of_all += (trial.test - trial.loss) / searches / search.trials.size();
  }
  for (const Search& search : halvings) mean_halving += report("halving", search).loss / searches;
  std::printf("\nvalidation loss of the best, mean of %d searches: random %.4f, halving %.4f; grid %.4f\n", searches,
              mean_random, mean_halving, best_of_grid.loss);
  std::printf("test loss - validation loss, random search: all trials %.4f, the chosen ones %.4f\n\n", gap_of_all,
              gap_of_chosen);

  plot::Figure figure({.title = "Hyper-parameter search: the same number of epochs"});
  plot::Axes& where = figure.axes(
      {.title = "What is tried", .x_label = "learning rate", .y_label = "weight decay", .x_log = true, .y_log = true});
  plot::Axes& losses = figure.axes({.title = "How it did",
                                    .x_label = "learning rate",
                                    .y_label = "validation loss",
                                    .x_log = true,
                                    .y_range = {{0, 3}}});
  const auto draw = [&](const Search& search, const char* name, char marker) {
    std::vector<double> rate, decay, loss;
    for (const Trial& trial : search.trials)
      rate.push_back(trial.setting.lr), decay.push_back(trial.setting.decay), loss.push_back(trial.loss);
    where.scatter(rate, decay, {.label = name, .marker = marker});
    losses.scatter(rate, loss, {.label = name, .marker = marker});
  };
  draw(halvings[0], "halving", '+');
  draw(randoms[0], "random", 'o');
  draw(by_grid, "grid", 's');
  figure.save(lesson::picture(argc, argv, "17_hyperparameters.svg"));

  std::set<double> grid_rates, random_rates;
  for (const Trial& trial : by_grid.trials) grid_rates.insert(trial.setting.lr);
  for (const Trial& trial : randoms[0].trials) random_rates.insert(trial.setting.lr);
  lesson::claim("for as many trainings the grid tries 5 learning rates only, random search 25",
                by_grid.trials.size() == 25 && grid_rates.size() == 5 && random_rates.size() == 25);
  lesson::claim("halving looks at twice as many settings, and spends no more epochs",
                halvings[0].trials.size() == 2 * by_grid.trials.size() && halvings[0].spent <= by_grid.spent);
  lesson::claim("random search does better than the grid, on the mean", mean_random < best_of_grid.loss);
  lesson::claim("halving does as well as random search or better, on the mean", mean_halving < 1.02 * mean_random);
  lesson::claim("what was chosen as the best looks better than it is: its gap to the test set is larger than others'",
                gap_of_chosen > gap_of_all);
  return lesson::finish({"lr_range = {3e-3, 0.3}. How much of the advantage over the grid is left, and why?",
                         "halving starts with one epoch. Which learning rates does that favour? Look at the best lr."});
}
