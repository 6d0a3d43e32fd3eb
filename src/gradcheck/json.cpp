#include <cmath>
#include <nlohmann/json.hpp>

#include "gradus/gradcheck.hpp"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinities: they are strings.
Json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

Json sizes(const Shape& shape) { return std::vector<std::int64_t>(shape.begin(), shape.end()); }

Json to_json(const GradcheckEntry& e) {
  return {{"verdict", to_string(e.verdict)},
          {"output", e.output},
          {"output_element", e.output_element},
          {"element", e.element},
          {"analytic", number(e.analytic)},
          {"numeric", number(e.numeric)},
          {"error_bar", number(e.error_bar)},
          {"tolerance", number(e.tolerance)},
          {"absolute_error", number(e.absolute_error())},
          {"relative_error", number(e.relative_error())},
          {"reason", e.reason}};
}

Json to_json(const GradcheckInput& input) {
  Json worst = Json::array();
  for (const GradcheckEntry& e : input.worst) worst.push_back(to_json(e));
  return {{"name", input.name},
          {"shape", sizes(input.shape)},
          {"dtype", std::string(to_string(input.dtype))},
          {"verdict", to_string(input.verdict)},
          {"checked", input.checked},
          {"failed", input.failed},
          {"inconclusive", input.inconclusive},
          {"worst", worst}};
}

Json to_json(const GradcheckCulprit& c) {
  return {{"op", c.op},
          {"place", c.place},
          {"ops", c.ops},
          {"input", c.input},
          {"input_shape", sizes(c.input_shape)},
          {"output_shape", sizes(c.output_shape)},
          {"evidence", c.evidence},
          {"likely_cause", c.likely_cause}};
}

}  // namespace

std::string GradcheckReport::to_json() const {
  Json json = {{"verdict", gradus::to_string(verdict)},
               {"reason", reason},
               {"second_order", second_order},
               {"fast", fast},
               {"rtol", rtol},
               {"atol", atol},
               {"inputs", Json::array()},
               {"culprits", Json::array()},
               {"notes", notes}};
  for (const GradcheckInput& input : inputs) json["inputs"].push_back(gradus::to_json(input));
  for (const GradcheckCulprit& c : found) json["culprits"].push_back(gradus::to_json(c));
  if (fast) {
    json["directions"] = directions;
    json["detection_probability"] = number(detection_probability);
    json["taylor_slope"] = number(taylor_slope);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gradus
