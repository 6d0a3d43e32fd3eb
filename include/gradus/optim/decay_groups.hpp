#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn/module.hpp"
#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

// Two groups of the same options, but that parameters of less than two dims, which are biases and the scales of norms,
// have a weight_decay of 0: AdamW(decay_groups(model, AdamWOptions{.lr = 1e-3})). A group that would be empty is left
// out. Decay pulls weights to 0 so that a model stays simple; biases and scales hardly add to what it can fit. Throws
// unless there are no names or one for each parameter.
template <class Options>
requires requires(Options options) { options.weight_decay = 0.0; }
std::vector<ParamGroup<Options>> decay_groups(const ParameterList& parameters, const Options& options) {
  if (!parameters.names.empty() && parameters.names.size() != parameters.size()) {
    throw Error("decay_groups: got " + std::to_string(parameters.names.size()) + " names for " +
                std::to_string(parameters.size()) + " parameters");
  }
  ParamGroup<Options> decayed{{}, options}, others{{}, options};
  others.options.weight_decay = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    ParameterList& list = (parameters[i].dim() >= 2 ? decayed : others).params;
    list.push_back(parameters[i]);
    if (!parameters.names.empty()) list.names.push_back(parameters.names[i]);
  }
  std::vector<ParamGroup<Options>> groups;
  if (!decayed.params.empty()) groups.push_back(std::move(decayed));
  if (!others.params.empty()) groups.push_back(std::move(others));
  return groups;
}

template <class Options>
requires requires(Options options) { options.weight_decay = 0.0; }
std::vector<ParamGroup<Options>> decay_groups(const nn::Module& model, const Options& options) {
  return decay_groups(ParameterList(model.named_parameters()), options);
}

}  // namespace gradus::optim
