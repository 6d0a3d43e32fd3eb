#include "gradus/nn/weight_norm.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "nn/call.hpp"
#include "storage/format.hpp"

namespace gradus::nn {
namespace {

// Passes on all members but one parameter, and remembers that.
class WithoutOne final : public MemberVisitor {
 public:
  WithoutOne(const MemberPath& path, const std::string& name, MemberVisitor* others)
      : path_(&path), name_(name), others_(others) {}

  void parameter(const MemberPath& path, Parameter& p) override {
    if (path.parent == path_ && path.name == name_)
      found = &p;
    else if (others_)
      others_->parameter(path, p);
  }
  void buffer(const MemberPath& path, Buffer& b) override {
    if (others_) others_->buffer(path, b);
  }
  void module(const MemberPath& path, Module& module) override {
    if (others_) others_->module(path, module);
  }

  Parameter* found = nullptr;

 private:
  const MemberPath* path_;
  const std::string& name_;
  MemberVisitor* others_;
};

Parameter& slot(Module& module, const std::string& name) {
  const MemberPath root;
  WithoutOne visitor(root, name, nullptr);
  module.visit_members(visitor, root);
  if (!visitor.found) fail("weight_norm: {} has no parameter {}", short_class_name(module), name);
  return *visitor.found;
}

// The lengths of slices along a dim, which stays with size 1 for the others.
Tensor lengths(const Tensor& v, std::optional<std::int64_t> dim) {
  if (!dim) return norm(v);
  if (*dim < -v.dim() || *dim >= v.dim()) fail("weight_norm: dim {} is out of range for {}", *dim, v.shape());
  Dims others;
  for (std::int64_t i = 0; i < v.dim(); ++i) {
    if (i != *dim && i != *dim + v.dim()) others.push_back(i);
  }
  return others.empty() ? abs(v) : norm(v, 2, others, {.keepdim = true});
}

// The weight in its place for one call; then its values alone, without history.
class InPlace {
 public:
  InPlace(Tensor& slot, const Tensor& weight) : slot_(slot) { slot_ = weight; }
  ~InPlace() { slot_ = slot_.detach(); }
  InPlace(const InPlace&) = delete;
  InPlace& operator=(const InPlace&) = delete;

 private:
  Tensor& slot_;
};

}  // namespace

WeightNormBase::WeightNormBase(std::string name, std::optional<std::int64_t> dim)
    : name_(std::move(name)), name_of_g_(name_ + "_g"), name_of_v_(name_ + "_v"), dim_(dim) {}

void WeightNormBase::take_weight(Module& module) {
  Tensor& weight = slot(module, name_);
  const NoGrad guard;
  weight_g = Parameter(lengths(weight, dim_).clone());
  weight_v = Parameter(weight.clone());
  weight = weight.detach();
}

void WeightNormBase::give_weight_back(Module& module) const {
  const NoGrad guard;
  slot(module, name_) = Parameter(weight());
}

Tensor WeightNormBase::weight() const { return weight_v * (weight_g / lengths(weight_v, dim_)); }

Tensor WeightNormBase::forward(const Tensor& x) {
  Module& module = inner();
  if (module.is_training() != is_training()) module.train(is_training());
  const InPlace in_place(slot(module, name_), weight());
  return module(x);
}

void WeightNormBase::visit_members(MemberVisitor& visitor, const MemberPath& path) {
  WithoutOne others(path, name_, &visitor);
  inner().visit_members(others, path);
  visitor.parameter(MemberPath{&path, name_of_g_}, weight_g);
  visitor.parameter(MemberPath{&path, name_of_v_}, weight_v);
}

}  // namespace gradus::nn
