// gradus predict: what a trained model says of new data.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/autograd.hpp>
#include <gradus/error.hpp>
#include <gradus/ops.hpp>

#include "gradus/commands.hpp"
#include "gradus/model_file.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Wishes {
  std::string model;
  std::string data;
  std::string header = "auto";
  bool probabilities = false;
  bool json = false;
};

struct Prediction {
  std::string answer;
  double value = 0;                   // of a regression
  std::vector<double> probabilities;  // of a classification, class by class
};

struct Answers {
  std::vector<Prediction> predictions;
  std::string measure;  // accuracy or r2, if the truth is there
  double score = std::numeric_limits<double>::quiet_NaN();
};

std::vector<Prediction> classify(const Tensor& outputs, const Encoding& encoding) {
  const Tensor shares = softmax(outputs.to(float64), 1).contiguous(), best = argmax(outputs, 1);
  const std::span<const double> values = shares.data<double>();
  std::vector<Prediction> predictions;
  const auto classes = encoding.classes.size();
  for (std::size_t i = 0; i < static_cast<std::size_t>(outputs.size(0)); ++i) {
    const auto row = values.subspan(i * classes, classes);
    const auto label = static_cast<std::size_t>(best.data<std::int64_t>()[i]);
    predictions.push_back({encoding.classes[label], 0, {row.begin(), row.end()}});
  }
  return predictions;
}

// What a model is asked about, (samples, features), and the truth as it counts it, if that is known.
struct Question {
  Tensor features;
  std::optional<Tensor> truth;
};

Question read_question(const std::string& name, Header header, const Encoding& encoding) {
  if (const auto images = images_called(name)) {
    if (images->x.size(1) != encoding.input.numel())
      throw Error(fmt::format("predict: {} has {} pixels, the model was trained on {} features", name,
                              images->x.size(1), encoding.input.numel()));
    if (encoding.task != Task::classification || encoding.target != "label") return {images->x, std::nullopt};
    return {images->x, images->y};
  }
  const CsvCells table = read_table_of(name, header);
  Question question{features_of(table, encoding), std::nullopt};
  if (const auto target = table.find(encoding.target)) question.truth = target_of(table, *target, encoding);
  return question;
}

// NaN is no answer.
void check_finite(const Tensor& outputs) {
  const Tensor values = outputs.to(float64).contiguous();
  const auto bad = std::ranges::count_if(values.data<double>(), [](double value) { return !std::isfinite(value); });
  if (bad > 0)
    throw Error(
        fmt::format("predict: {} of {} outputs are not finite: did the training diverge?", bad, values.numel()));
}

Answers answer(TrainedModel& trained, const Question& question) {
  const NoGrad guard;
  const Encoding& encoding = trained.encoding;
  const Tensor outputs = outputs_of(trained.model, encoding.encode(question.features));
  check_finite(outputs);
  const std::optional<Tensor>& truth = question.truth;
  Answers answers;
  if (encoding.task == Task::classification) {
    answers.predictions = classify(outputs, encoding);
    if (!truth) return answers;
    answers.measure = "accuracy";
    answers.score = eq(argmax(outputs, 1), *truth).to(float64).mean().item();
    return answers;
  }
  const Tensor values = (outputs * encoding.target_scale + encoding.target_mean).contiguous();
  for (const float value : values.data<float>()) answers.predictions.push_back({fmt::format("{}", value), value, {}});
  if (!truth) return answers;
  answers.measure = "r2";
  answers.score = 1 - mse_loss(values, *truth).item() / var(*truth, {}, {.correction = 0}).item();
  return answers;
}

void print_csv(const Answers& answers, const Encoding& encoding, bool probabilities) {
  std::string head = "prediction";
  if (encoding.task == Task::classification) head += ",probability";
  if (probabilities) {
    for (const std::string& name : encoding.classes) head += "," + csv_cell("p(" + name + ")");
  }
  std::puts(head.c_str());
  for (const Prediction& one : answers.predictions) {
    std::string line = csv_cell(one.answer);
    if (!one.probabilities.empty()) line += fmt::format(",{:.4f}", std::ranges::max(one.probabilities));
    if (probabilities) {
      for (const double p : one.probabilities) line += fmt::format(",{:.4f}", p);
    }
    std::puts(line.c_str());
  }
  // Beside the table, so that this stays one.
  if (!answers.measure.empty()) {
    fmt::print(stderr, "{} samples: {} {:.4f}\n", answers.predictions.size(), answers.measure, answers.score);
  }
}

void print_json(const Answers& answers, const Encoding& encoding) {
  Json predictions = Json::array();
  for (const Prediction& one : answers.predictions) {
    Json entry;
    if (encoding.task == Task::classification) {
      entry["prediction"] = one.answer;
      for (std::size_t i = 0; i < one.probabilities.size(); ++i)
        entry["probabilities"][encoding.classes[i]] = one.probabilities[i];
    } else {
      entry["prediction"] = one.value;
    }
    predictions.push_back(entry);
  }
  Json all = {{"task", to_string(encoding.task)}, {"target", encoding.target}, {"predictions", predictions}};
  if (!answers.measure.empty()) all[answers.measure] = answers.score;
  std::puts(all.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void run(const Wishes& wishes) {
  TrainedModel trained = load_model(wishes.model);
  const Question question = read_question(wishes.data, header_called(wishes.header), trained.encoding);
  if (wishes.probabilities && trained.encoding.task == Task::regression)
    throw Error("predict: a regression has no --probabilities");
  const Answers answers = answer(trained, question);
  wishes.json ? print_json(answers, trained.encoding) : print_csv(answers, trained.encoding, wishes.probabilities);
}

}  // namespace

void add_predict(CLI::App& app, int&) {
  static Wishes wishes;
  CLI::App* command = app.add_subcommand("predict", "Let a model that `gradus train` has saved answer for a CSV file");
  command->add_option("model", wishes.model, "The model.safetensors of a run")->required()->type_name("MODEL");
  command->add_option("data", wishes.data, "A CSV file with the features by name, or digits, iris, wine ...")
      ->required()
      ->type_name("FILE");
  command->add_option("--header", wishes.header, "Is the first row one: auto, yes or no; default auto")
      ->type_name("ANSWER");
  command->add_flag("--probabilities", wishes.probabilities, "A column for each class");
  command->add_flag("--json", wishes.json, "Print JSON instead of CSV");
  command->footer(
      "If the target is a column of the file, the score goes to stderr (or into the JSON).\n\n"
      "Examples:\n"
      "  gradus train iris --report run\n"
      "  gradus predict run/model.safetensors iris > predictions.csv\n"
      "  gradus predict run/model.safetensors iris --json");
  command->callback([] { run(wishes); });
}

}  // namespace gradus::tool
