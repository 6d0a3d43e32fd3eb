// Lesson 20: handwritten digits, from zero.
//
// All the pieces together, on 1797 pictures of 8 x 8 pixels:
//
//     three parts    to learn from; to watch while learning; and one that is looked at once, at the end (lesson 12)
//     model          64 pixels -> 128 hidden units -> 10 scores, dropout between (lesson 11)
//     loss           cross-entropy: -log of the probability that softmax gives the right digit (lesson 16), with labels
//                    smoothed by 0.1, which keeps the network from becoming more certain than it has reason to be
//     optimizer      AdamW (lesson 5), its rate rising and falling once (lesson 6)
//
// Then the questions that a number alone does not answer: which digits are taken for which, and what do those look like
// that are misread?
#include <gradus/gradus.hpp>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const std::uint64_t seed = 2;
const std::int64_t hidden = 128, epochs = 40, batch_size = 32;
const double dropout_share = 0.2, max_lr = 1e-2, weight_decay = 0.05;

Tensor criterion(const Tensor& scores, const Tensor& labels) {
  return cross_entropy(scores, labels, {.label_smoothing = 0.1});
}

int main(int argc, char** argv) {
  manual_seed(seed);
  const auto [rest, test] = data::digits().split(0.8);
  const auto [train, valid] = rest.split(0.85);
  std::printf("%lld digits to learn from, %lld to watch, %lld for the end\n", (long long)train.size(),
              (long long)valid.size(), (long long)test.size());

  nn::Sequential model(nn::Linear(64, hidden), nn::ReLU(), nn::Dropout(dropout_share), nn::Linear(hidden, 10));
  optim::AdamW optimizer(model.parameters(), {.lr = max_lr, .weight_decay = weight_decay});
  const std::int64_t batches = (train.size() + batch_size - 1) / batch_size;
  optim::OneCycleLR schedule(optimizer, {.max_lr = max_lr, .total_steps = epochs * batches});
  const double untrained = cross_entropy(model(valid.x), valid.y).item();

  const train::History history = train::fit(model, criterion, optimizer, train, valid,
                                            {.epochs = epochs,
                                             .batch_size = batch_size,
                                             .schedule = &schedule,
                                             .metrics = {train::accuracy()},
                                             .progress = false});

  std::printf("%6s %12s %12s %12s %12s %12s\n", "epoch", "loss", "accuracy", "valid loss", "valid acc.", "rate");
  for (const int epoch : {1, 2, 5, 10, 20, 30, 40}) {
    if (epoch > epochs) break;
    std::printf("%6d", epoch);
    for (const char* name : {"loss", "accuracy", "valid_loss", "valid_accuracy", "lr"})
      std::printf(" %12.4f", history.values(name)[epoch - 1]);
    std::printf("\n");
  }

  NoGrad guard;
  model.eval();
  const Extreme read = max(softmax(model(test.x), 1), 1);  // how certain, and which digit
  const Tensor wrong = ne(read.indices, test.y);
  const double errors = wrong.to(float64).sum().item(), accuracy = 1 - errors / test.size();
  const Tensor confusion = train::confusion_matrix(read.indices, test.y);

  std::printf("\nrow: the digit; column: what it was taken for\n%4s", "");
  for (int j = 0; j < 10; ++j) std::printf("%5d", j);
  for (int i = 0; i < 10; ++i) {
    std::printf("\n%4d", i);
    for (int j = 0; j < 10; ++j) std::printf("%5lld", (long long)confusion[i][j].item<std::int64_t>());
  }
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back(std::to_string(i));
  plot::Figure figure({.title = "Handwritten digits"});
  figure.axes({.title = "Learning", .x_label = "epoch", .y_label = "loss"})
      .line(history.values("epoch"), history.values("loss"), {.label = "training"})
      .line(history.values("epoch"), history.values("valid_loss"), {.label = "validation"});
  figure.axes({.title = "Which is taken for which", .x_label = "taken for", .y_label = "digit"})
      .heatmap(10, 10, lesson::numbers(confusion), {.row_labels = names, .column_labels = names, .annotate = true});
  figure.save(lesson::picture(argc, argv, "20_digits.svg"));

  std::printf("\n\nmisread:\n");
  plot::Figure misread({.title = "Misread digits", .columns = 4, .panel_width = 180, .panel_height = 220});
  double certainty_wrong = 0, certainty_right = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) {
    const double certainty = read.values[i].item();
    if (read.indices[i].item() == test.y[i].item()) {
      certainty_right += certainty / (test.size() - errors);
      continue;
    }
    certainty_wrong += certainty / errors;
    std::printf("  a %d, taken for a %d, %.0f %% certain\n", int(test.y[i].item()), int(read.indices[i].item()),
                100 * certainty);
    misread
        .axes({.title = "a " + names[test.y[i].item<std::int64_t>()] + ", read as " +
                        names[read.indices[i].item<std::int64_t>()]})
        .image(lesson::numbers(1.0 - test.x[i]), 8, 8);
  }
  if (errors > 0) misread.save(lesson::picture(argc, argv, "20_misread.svg"));
  std::printf("held out: %.2f %% right (standard error %.2f %%); certainty %.2f where right, %.2f where wrong\n\n",
              100 * accuracy, 100 * std::sqrt(accuracy * (1 - accuracy) / test.size()), certainty_right,
              certainty_wrong);

  lesson::claim("an untrained network guesses: its loss is near log(10)", std::abs(untrained - std::log(10)) < 0.2);
  lesson::claim("at least 97 % of the held-out digits are read rightly", accuracy >= 0.97);
  lesson::claim("the diagonal of the confusion matrix holds them, and all of it every digit",
                confusion.diagonal().sum().item() == test.size() - errors && confusion.sum().item() == test.size());
  lesson::claim("where it errs the network is less certain", certainty_wrong < certainty_right);
  return lesson::finish(
      {"the model as nn::Linear(64, 10) alone. Are the hidden units worth more than the standard error here?",
       "seed = 1, 2, 3, ... Is a difference of one percent between two models on these few digits worth a word?"});
}
