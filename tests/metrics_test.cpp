#include "gradus/train/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "messages.hpp"
#include "reference_data.hpp"

using namespace gradus;
using tests::Json;
using tests::message_of;
using train::Average;
using train::Metric;

namespace {

using Make = std::function<std::shared_ptr<Metric>()>;

// By the names that tools/reference/metrics.py gives them.
std::map<std::string, Make> makers() {
  std::map<std::string, Make> all = {{"accuracy", [] { return train::accuracy(); }},
                                     {"accuracy above 0.5", [] { return train::accuracy({.threshold = 0.5}); }},
                                     {"balanced_accuracy", [] { return std::make_shared<train::ConfusionMatrix>(); }},
                                     {"mae", train::mae},
                                     {"mse", train::mse},
                                     {"rmse", train::rmse},
                                     {"r2_score", train::r2_score}};
  for (std::int64_t k = 1; k <= 6; ++k)
    all["top_" + std::to_string(k) + "_accuracy"] = [k] { return train::top_k_accuracy({.k = k}); };
  const std::map<std::string, train::ScoreOptions> averages = {{"binary", {}},
                                                               {"binary of 0", {.pos_label = 0}},
                                                               {"micro", {.average = Average::micro}},
                                                               {"macro", {.average = Average::macro}},
                                                               {"weighted", {.average = Average::weighted}}};
  for (const auto& [average, options] : averages) {
    all["precision " + average] = [options = options] { return train::precision(options); };
    all["recall " + average] = [options = options] { return train::recall(options); };
    all["f1_score " + average] = [options = options] { return train::f1_score(options); };
  }
  return all;
}

Tensor read(const Json& json, Dtype dtype) {
  std::vector<double> values;
  const bool is_matrix = json[0].is_array();
  for (const Json& row : json) {
    if (is_matrix)
      values.insert(values.end(), row.begin(), row.end());
    else
      values.push_back(row.get<double>());
  }
  const auto rows = static_cast<std::int64_t>(json.size());
  return tensor(values).reshape(is_matrix ? Shape{rows, -1} : Shape{rows}).to(dtype);
}

// The value over batches of so many samples. A fresh metric goes on from the state after each of them.
double streamed(const Make& make, const Tensor& prediction, const Tensor& target, std::int64_t batch) {
  std::shared_ptr<Metric> metric = make();
  for (std::int64_t i = 0; i < target.size(0); i += batch) {
    metric->update(prediction.slice(0, i, i + batch), target.slice(0, i, i + batch));
    const std::shared_ptr<Metric> resumed = make();
    resumed->load_state_dict(metric->state_dict());
    metric = resumed;
  }
  return metric->value();
}

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("metrics agree with scikit-learn, whatever the batches, and go on from their states") {
  const auto all = makers();
  int checked = 0;
  const Json reference = tests::reference_file("metrics_reference.json");
  for (const auto& [kind, cases] : reference.items()) {
    for (const Json& c : cases) {
      const Tensor prediction = read(c["prediction"], float64);
      const Tensor target = read(c["target"], kind == "regression" ? float64 : int64);
      for (const auto& [name, value] : c["values"].items()) {
        CAPTURE(kind);
        CAPTURE(name);
        for (const std::int64_t batch : {1, 3, 100}) {
          CAPTURE(batch);
          CHECK(streamed(all.at(name), prediction, target, batch) ==
                doctest::Approx(value.get<double>()).epsilon(1e-9));
          ++checked;
        }
        const std::string column = all.at(name)()->name();
        CHECK(name.starts_with(column));
      }
      if (c.contains("confusion")) {
        const Tensor expected = read(c["confusion"], int64);
        CHECK(eq(train::confusion_matrix(prediction, target), expected).all().item<bool>());
      }
    }
  }
  CHECK(checked > 150);
}

TEST_CASE("a metric forgets what it saw when it is reset, and is NaN before the first batch") {
  const Tensor scores = tensor({{0.0, 1.0}, {1.0, 0.0}}), labels = tensor({1, 1});
  for (const auto& [name, make] : makers()) {
    CAPTURE(name);
    const std::shared_ptr<Metric> metric = make();
    CHECK(std::isnan(metric->value()));
    const bool is_class = name.find("ccuracy") != std::string::npos || name.find(' ') != std::string::npos;
    const auto update = [&] { is_class ? metric->update(scores, labels) : metric->update(scores, scores + 1.0); };
    update();
    const double once = metric->value();
    update();
    metric->reset();
    CHECK(std::isnan(metric->value()));
    update();
    CHECK(metric->value() == once);
    CHECK(message_of([&] { metric->load_state_dict({}); }).find("its state has no entry") != std::string::npos);
  }
}

TEST_CASE("classes are read from scores of every layout") {
  struct Row {
    const char* what;
    Tensor prediction, target;
    double accuracy;
  };
  const Tensor image = tensor({{{0.0, 5.0}, {1.0, 1.0}, {2.0, 0.0}}});  // one sample, three classes, two places
  const Tensor text = tensor({{{0.0, 5.0, 1.0}, {1.0, 1.0, 0.0}}});     // one sample, two places, three classes
  const Row rows[] = {
      {"equal scores: the first", tensor({{1.0, 1.0}, {1.0, 1.0}}), tensor({0, 1}), 0.5},
      {"NaN is largest", tensor({{5.0, missing}, {missing, missing}}), tensor({1, 1}), 0.5},
      {"float labels", tensor({{1.0, 2.0}, {3.0, 4.0}}), tensor({1.0, 0.0}), 0.5},
      {"shares", tensor({{1.0, 2.0}, {3.0, 4.0}}), tensor({{0.9, 0.1}, {0.3, 0.7}}), 0.5},
      {"a column of logits", tensor({{1.0}, {-2.0}, {0.0}}), tensor({{1.0}, {1.0}, {0.0}}), 2.0 / 3},
      {"a column of logits and a list", tensor({{1.0}, {-2.0}, {0.0}}), tensor({1, 1, 0}), 2.0 / 3},
      {"a list of logits and a mask", tensor({1.0, -2.0}), tensor({true, false}), 1},
      {"a column of labels and a list", tensor({3, 1, 2}), tensor({{3}, {1}, {1}}), 2.0 / 3},
      {"labels and labels", tensor({3, 1, 2}), tensor({3, 1, 1}), 2.0 / 3},
      {"classes in the middle", image, tensor({{2, 0}}), 1},
      {"classes last", text, tensor({{1, 2}}), 0.5},
      {"not contiguous", tensor({{1.0, 3.0}, {2.0, 4.0}}).t(), tensor({1, 0}), 0.5},
      {"ignored labels", tensor({{1.0, 2.0}, {3.0, 4.0}}), tensor({1, -100}), 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto metric = train::accuracy();
    metric->update(row.prediction, row.target);
    CHECK(metric->value() == doctest::Approx(row.accuracy));
  }
}

TEST_CASE("a constant target scores 0 whatever its rounding, or 1 where it is predicted exactly") {
  for (const double constant : {0.1, 1e16 / 3, -7e-30}) {
    for (const std::int64_t rows : {1, 7, 49}) {
      CAPTURE(constant);
      CAPTURE(rows);
      const Tensor target = full({rows, 2}, constant, {.dtype = float64});
      const auto wrong = train::r2_score(), right = train::r2_score();
      for (int batch = 0; batch < 3; ++batch) {
        wrong->update(target + std::abs(constant), target);
        right->update(target, target);
      }
      CHECK(wrong->value() == 0);
      CHECK(right->value() == 1);
    }
  }
}

TEST_CASE("equals are ranked like argmax, and top 1 is the accuracy") {
  const Tensor scores = tensor({{2.0, 2.0, 1.0}, {missing, 9.0, 9.0}, {0.0, missing, missing}});
  const Tensor labels = tensor({1, 0, 2});
  const double expected[] = {1.0 / 3, 1, 1};
  for (std::int64_t k = 1; k <= 3; ++k) {
    CAPTURE(k);
    const auto metric = train::top_k_accuracy(k);
    metric->update(scores, labels);
    CHECK(metric->value() == doctest::Approx(expected[k - 1]));
  }
  CHECK(train::top_k_accuracy()->name() == "top_5_accuracy");
}

TEST_CASE("a confusion matrix grows with the labels, or keeps to the classes it was given") {
  train::ConfusionMatrix matrix;
  matrix.update(tensor({0, 1}), tensor({0, 0}));
  matrix.update(tensor({2}), tensor({1}));
  CHECK(eq(matrix.counts(), tensor({{1, 1, 0}, {0, 0, 1}, {0, 0, 0}})).all().item<bool>());
  CHECK(matrix.value() == 0.25);
  CHECK(train::confusion_matrix(tensor({0, 1}), tensor({0, 0}), {.classes = 4}).size(0) == 4);
}

TEST_CASE("what cannot be read as classes or numbers is refused by name") {
  const Tensor scores = zeros({2, 3}), binary = zeros({2});
  const auto told = [](const std::shared_ptr<Metric>& metric, const Tensor& prediction, const Tensor& target) {
    return message_of([&] { metric->update(prediction, target); });
  };
  CHECK(told(train::accuracy(), scores, tensor({0, 3})) == "accuracy: there are 3 classes, so this is no label: 3");
  CHECK(told(train::accuracy(), scores, tensor({0, -1})) == "accuracy: there are 3 classes, so this is no label: -1");
  CHECK(told(train::accuracy(), binary, tensor({0, 2})) == "accuracy: there are 2 classes, so this is no label: 2");
  CHECK(told(train::accuracy(), scores, tensor({0, 1, 2})) ==
        "accuracy: scores (n, classes) need labels (n): (2, 3) and (3,)");
  CHECK(told(train::accuracy(), tensor({-3.0, 3.0}), tensor({0.0, 0.95})) ==
        "accuracy: labels must be whole numbers: 0.95");
  CHECK(told(train::top_k_accuracy(1), scores, tensor({0.5, 1.0})) ==
        "top_k_accuracy: labels must be whole numbers: 0.5");
  for (const double label : {missing, 1e300, -std::numeric_limits<double>::infinity()})
    CHECK(told(train::recall(), tensor({0.0}), tensor({label})).starts_with("recall: labels must be whole numbers: "));
  CHECK(told(train::accuracy(), zeros({6}), zeros({2, 3})) ==
        "accuracy: scores (n, classes) need labels (n): (6,) and (2, 3)");
  CHECK(told(train::accuracy(), scores.to(int64), tensor({0, 1})) ==
        "accuracy: labels need labels of the same shape, scores a floating dtype: int64 (2, 3) and (2,)");
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t label : {std::int64_t{3'000'000'000}, std::int64_t{1'000'000'000'000'000'000}, most}) {
    CAPTURE(label);
    const Tensor large = tensor(std::vector<std::int64_t>{label});
    const bool is_most = label == most;
    const std::string classes = std::to_string(is_most ? label : label + 1);
    const auto expected = [&](const std::string& op, const std::string& limit) {
      if (is_most) return op + ": there are " + classes + " classes, so this is no label: " + classes;
      return op + ": at most " + limit + " classes can be told apart: " + classes;
    };
    CHECK(told(std::make_shared<train::ConfusionMatrix>(), large, large) == expected("confusion_matrix", "16384"));
    CHECK(told(train::f1_score({.average = Average::macro}), large, large) == expected("f1_score", "16777216"));
    if (is_most) continue;
    const auto accuracy = train::accuracy();
    accuracy->update(large, large);
    CHECK(accuracy->value() == 1);
  }
  CHECK(message_of([] { train::ConfusionMatrix({.classes = 1 << 15}); }) ==
        "confusion_matrix: at most 16384 classes can be told apart: 32768");
  CHECK(told(train::top_k_accuracy(), scores, scores) ==
        "top_k_accuracy: scores (n, classes) need labels (n): (2, 3) and (2, 3)");
  CHECK(told(train::mae(), zeros({2, 1}), zeros({2})) ==
        "mae: prediction and target must have the same shape: (2, 1) and (2,)");
  CHECK(told(train::r2_score(), zeros({0}), zeros({0})) == "r2_score: there is no sample: (0,)");
  CHECK(told(train::f1_score(), scores, tensor({0, 2})) ==
        "f1_score: with more than two classes average must be micro, macro or weighted: class 2");
  CHECK(message_of([] { train::top_k_accuracy({.k = 0}); }) == "top_k_accuracy: k must be positive: 0");
  CHECK(message_of([] { train::recall({.pos_label = 2}); }) == "recall: pos_label must be 0 or 1: 2");
  CHECK(message_of([] { train::confusion_matrix(tensor({3}), tensor({0}), {.classes = 2}); }) ==
        "confusion_matrix: there are 2 classes, so this is no label: 3");
  CHECK(message_of([] { train::ConfusionMatrix({.classes = 0}); }) == "confusion_matrix: classes must be positive: 0");
  CHECK(message_of([] {
          train::accuracy()->load_state_dict({{"counts", zeros({2})}});
        }) == "accuracy: not its state: counts float32 (2,)");
}
