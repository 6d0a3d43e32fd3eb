#include "gradus/model_file.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include <gradus/autograd.hpp>
#include <gradus/error.hpp>
#include <gradus/factory.hpp>
#include <gradus/io.hpp>
#include <gradus/ops.hpp>

#include "gradus/model_spec.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::json;
const char* const key = "gradus";

struct Scaler {
  const char* name;
  Tensor Encoding::*tensor;
};
constexpr Scaler scalers[] = {{"scaler.mean", &Encoding::mean},
                              {"scaler.scale", &Encoding::scale},
                              {"scaler.target_mean", &Encoding::target_mean},
                              {"scaler.target_scale", &Encoding::target_scale}};

Json to_json(const TrainedModel& trained) {
  const Encoding& encoding = trained.encoding;
  return {{"layers", trained.layers},
          {"task", to_string(encoding.task)},
          {"input", std::vector<std::int64_t>(encoding.input.begin(), encoding.input.end())},
          {"features", encoding.features},
          {"target", encoding.target},
          {"classes", encoding.classes}};
}

Encoding encoding_of(const Json& json) {
  Encoding encoding;
  encoding.task = json.at("task") == "regression" ? Task::regression : Task::classification;
  encoding.features = json.at("features").get<std::vector<std::string>>();
  encoding.target = json.at("target").get<std::string>();
  encoding.classes = json.at("classes").get<std::vector<std::string>>();
  encoding.input = Shape(json.at("input").get<std::vector<std::int64_t>>());
  const bool fits = std::ranges::all_of(encoding.input, [](std::int64_t size) { return size > 0; }) &&
                    (encoding.input.size() == 1 || encoding.input.size() == 3) &&
                    encoding.input.numel() == static_cast<std::int64_t>(encoding.features.size());
  if (!fits) throw Error("the input is not made of the features");
  return encoding;
}

// What goes through broadcasts to more than it was made for is not the scaler of this input.
bool fits(const Tensor& scaler, const Shape& input) {
  return scaler.dtype() == float32 && (scaler.numel() == 1 || (input.size() == 1 && scaler.numel() == input[0]));
}

void check_scalers(const Encoding& encoding) {
  for (const auto& [name, tensor] : scalers) {
    const bool of_target = tensor == &Encoding::target_mean || tensor == &Encoding::target_scale;
    if (of_target && encoding.task == Task::classification) continue;
    const Tensor& scaler = encoding.*tensor;
    if (!scaler.defined()) throw Error("there is no scaler in it");
    if (!fits(scaler, of_target ? Shape{1} : encoding.input)) throw Error(std::string(name) + " is not of this input");
  }
}

// The answers are read by the classes: as many outputs must be there.
void check_outputs(nn::Sequential& model, const Encoding& encoding) {
  const NoGrad guard;
  Shape one = encoding.input;
  one.insert(0, 1);
  const Tensor outputs = model(zeros(one));
  if (outputs.shape() != Shape{1, encoding.outputs()} || outputs.dtype() != float32)
    throw Error("it has outputs " + gradus::to_string(outputs.shape()) + ", not " +
                gradus::to_string(Shape{1, encoding.outputs()}));
}

TrainedModel read(const std::string& path) {
  const std::map<std::string, std::string> metadata = load_metadata(path);
  const Json json = Json::parse(metadata.at(key));
  TrainedModel trained{{}, json.at("layers").get<std::string>(), encoding_of(json)};
  std::map<std::string, Tensor> state = load(path);
  for (const auto& [name, tensor] : scalers) {
    const auto found = state.find(name);
    if (found != state.end()) trained.encoding.*tensor = state.extract(found).mapped();
  }
  check_scalers(trained.encoding);
  trained.model = build_model(trained.layers, trained.encoding.input);
  trained.model.load_state_dict(state);
  trained.model.eval();
  check_outputs(trained.model, trained.encoding);
  return trained;
}

}  // namespace

void save_model(const TrainedModel& trained, const std::string& path) {
  std::map<std::string, Tensor> tensors = trained.model.state_dict();
  for (const auto& [name, tensor] : scalers) {
    if ((trained.encoding.*tensor).defined()) tensors[name] = trained.encoding.*tensor;
  }
  save(tensors, path, {.metadata = {{key, to_json(trained).dump()}}});
}

TrainedModel load_model(const std::string& path) {
  if (!load_metadata(path).contains(key)) throw Error(printable(path) + ": no model that gradus train has saved");
  try {
    return read(path);
  } catch (const nlohmann::json::exception&) {
    throw Error(printable(path) + ": no model that gradus train has saved: its description is broken");
  } catch (const Error& error) {
    throw Error(printable(path) + ": no model that gradus train has saved: " + printable(error.what()));
  }
}

Tensor outputs_of(nn::Module& model, const Tensor& x) {
  const NoGrad guard;
  const bool was_training = model.is_training();
  model.eval();
  std::vector<Tensor> outputs;
  for (const Tensor& batch : x.split(1024)) outputs.push_back(model(batch));
  model.train(was_training);
  return cat(outputs);
}

}  // namespace gradus::tool
