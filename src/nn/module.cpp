#include "gradus/nn/module.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus::nn {
namespace {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

struct NamedParameters final : MemberVisitor {
  NamedTensors found;
  void parameter(const MemberPath& path, Parameter& p) override { found.emplace_back(path.to_string(), p); }
};

struct NamedBuffers final : MemberVisitor {
  NamedTensors found;
  void buffer(const MemberPath& path, Buffer& b) override { found.emplace_back(path.to_string(), b); }
};

struct Parameters final : MemberVisitor {
  std::vector<Tensor> found;
  void parameter(const MemberPath&, Parameter& p) override { found.push_back(p); }
};

struct Buffers final : MemberVisitor {
  std::vector<Tensor> found;
  void buffer(const MemberPath&, Buffer& b) override { found.push_back(b); }
};

struct State final : MemberVisitor {
  std::map<std::string, Tensor> found;
  void parameter(const MemberPath& path, Parameter& p) override { found.emplace(path.to_string(), p.detach()); }
  void buffer(const MemberPath& path, Buffer& b) override { found.emplace(path.to_string(), b.detach()); }
};

struct GradientsDropped final : MemberVisitor {
  void parameter(const MemberPath&, Parameter& p) override { p.zero_grad(); }
};

struct ModeSet final : MemberVisitor {
  bool mode;
  explicit ModeSet(bool training) : mode(training) {}
  void module(const MemberPath&, Module& module) override { module.train(mode); }
};

struct NamedModules final : MemberVisitor {
  std::vector<std::pair<std::string, Module*>> found;
  void module(const MemberPath& path, Module& module) override {
    found.emplace_back(path.to_string(), &module);
    MemberVisitor::module(path, module);
  }
};

struct RequirementSet final : MemberVisitor {
  bool required;
  explicit RequirementSet(bool requires_grad) : required(requires_grad) {}
  void parameter(const MemberPath&, Parameter& p) override { p.set_requires_grad(required); }
};

struct Applied final : MemberVisitor {
  const std::function<void(Module&)>& fn;
  explicit Applied(const std::function<void(Module&)>& function) : fn(function) {}
  void module(const MemberPath&, Module& module) override { module.apply(fn); }
};

struct Converted final : MemberVisitor {
  Dtype dtype;
  explicit Converted(Dtype wanted) : dtype(wanted) {}
  void parameter(const MemberPath&, Parameter& p) override { convert(p); }
  void buffer(const MemberPath&, Buffer& b) override { convert(b); }

  void convert(Tensor& tensor) const {
    if (!is_floating_point(tensor.dtype()) || tensor.dtype() == dtype) return;
    const Tensor gradient = tensor.grad();
    tensor.zero_grad();
    set_data(tensor, tensor.detach().to(dtype));
    if (gradient.defined()) tensor.set_grad(gradient.detach().to(dtype));
  }
};

// "missing keys: a, b", appended to a list of complaints.
void complain(std::string& complaints, std::string_view what, const std::vector<std::string>& which) {
  if (which.empty()) return;
  if (!complaints.empty()) complaints += "; ";
  complaints += formatted("{}: {}", what, comma_separated(which));
}

}  // namespace

std::string MemberPath::to_string() const {
  if (!parent) return {};
  std::string path = parent->to_string();
  if (!path.empty()) path += '.';
  if (name.empty()) return path += std::to_string(index);
  return path += name;
}

void MemberVisitor::module(const MemberPath& path, Module& module) { module.visit_members(*this, path); }

void Module::visit_members(MemberVisitor&, const MemberPath&) {}

// Members are listed once, for reading and writing alike; a const module is only ever read.
void Module::visit(MemberVisitor& visitor) const { const_cast<Module*>(this)->visit_members(visitor, {}); }

std::vector<Tensor> Module::parameters() const {
  Parameters visitor;
  visit(visitor);
  return std::move(visitor.found);
}

NamedTensors Module::named_parameters() const {
  NamedParameters visitor;
  visit(visitor);
  return std::move(visitor.found);
}

std::vector<Tensor> Module::buffers() const {
  Buffers visitor;
  visit(visitor);
  return std::move(visitor.found);
}

NamedTensors Module::named_buffers() const {
  NamedBuffers visitor;
  visit(visitor);
  return std::move(visitor.found);
}

Module& Module::train(bool mode) {
  training_ = mode;
  ModeSet visitor(mode);
  visit(visitor);
  return *this;
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  NamedModules visitor;
  visitor.found.emplace_back("", this);
  visit(visitor);
  return std::move(visitor.found);
}

std::vector<Module*> Module::modules() {
  std::vector<Module*> found;
  for (const auto& [name, module] : named_modules()) found.push_back(module);
  return found;
}

Module& Module::requires_grad_(bool requires_grad) {
  RequirementSet visitor(requires_grad);
  visit(visitor);
  return *this;
}

Module& Module::apply(const std::function<void(Module&)>& fn) {
  Applied visitor(fn);
  visit(visitor);
  fn(*this);
  return *this;
}

Module& Module::to(Dtype dtype) {
  if (!is_floating_point(dtype)) fail("to: a module can be float32 or float64, got {}", dtype);
  NoGrad guard;
  Converted visitor(dtype);
  visit(visitor);
  return *this;
}

void Module::zero_grad() {
  GradientsDropped visitor;
  visit(visitor);
}

std::map<std::string, Tensor> Module::state_dict() const {
  State visitor;
  visit(visitor);
  return std::move(visitor.found);
}

IncompatibleKeys Module::load_state_dict(const std::map<std::string, Tensor>& state, const LoadStateOptions& options) {
  std::map<std::string, Tensor> own = state_dict();
  std::vector<std::string> missing, unexpected, wrong;
  for (const auto& [key, value] : state) {
    if (const auto it = own.find(key); it == own.end()) {
      unexpected.push_back(key);
    } else if (!value.defined()) {
      wrong.push_back(key + " is undefined");
    } else if (value.shape() != it->second.shape()) {
      wrong.push_back(formatted("{} is {}, the module needs {}", key, value.shape(), it->second.shape()));
    }
  }
  for (const auto& [key, value] : own) {
    if (!state.contains(key)) missing.push_back(key);
  }

  std::string complaints;
  if (options.strict) {
    complain(complaints, "missing keys", missing);
    complain(complaints, "unexpected keys", unexpected);
  }
  complain(complaints, "wrong shapes", wrong);
  if (!complaints.empty()) fail("load_state_dict: {}", complaints);

  NoGrad guard;
  for (auto& [key, value] : own) {
    if (const auto it = state.find(key); it != state.end()) value.copy_(it->second);
  }
  return {std::move(missing), std::move(unexpected)};
}

}  // namespace gradus::nn
