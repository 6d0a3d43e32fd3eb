#include "gradus/optim/update_bn.hpp"

#include "gradus/nn/members.hpp"

namespace gradus::optim::detail {
namespace {

struct Modules final : nn::MemberVisitor {
  std::vector<nn::Module*> found;

  explicit Modules(nn::Module& model) { module({}, model); }
  void module(const nn::MemberPath& path, nn::Module& module) override {
    found.push_back(&module);
    nn::MemberVisitor::module(path, module);
  }
};

}  // namespace

FreshStatistics::FreshStatistics(nn::Module& model) {
  for (nn::Module* const module : Modules(model).found) {
    modes_.emplace_back(module, module->is_training());
    auto* const norm = dynamic_cast<nn::BatchNorm*>(module);
    if (norm == nullptr || !norm->running_mean.defined()) continue;
    norms_.emplace_back(norm, norm->momentum);
    norm->reset_running_stats();
    norm->momentum.reset();
  }
  model.train();
}

FreshStatistics::~FreshStatistics() {
  for (const auto& [norm, momentum] : norms_) norm->momentum = momentum;
  // train() reaches the modules inside, too: these have their turn later.
  for (const auto& [module, training] : modes_) module->train(training);
}

}  // namespace gradus::optim::detail
