#include "gradus/function.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "autograd/names.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"

namespace gradus {

std::vector<Tensor> AutogradContext::saved_tensors() const {
  if (!unpack_) fail("saved_tensors: only backward can read what forward has saved");
  return unpack_();
}

// One application of a function: the VJP of its node.
struct FunctionCall {
  // The result is not saved: the engine hands it in.
  struct Kept {
    Saved tensor;
    bool is_result;
  };

  const char* name;
  detail::FunctionBackward backward;
  std::unique_ptr<AutogradContext> ctx;
  std::vector<Kept> kept;

  void keep(const Tensor& result) {
    for (const Tensor& tensor : ctx->to_save_) {
      const bool is_result = tensor.defined() && tensor.is(result);
      kept.push_back({Saved(is_result ? Tensor() : tensor), is_result});
    }
    ctx->to_save_.clear();
  }

  bool keeps_result() const {
    return std::ranges::any_of(kept, [](const Kept& entry) { return entry.is_result; });
  }

  void operator()(const Tensor& g, const Tensor& y, Gradients& gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i) ctx->needed_[i] = gradients.wanted(i);
    ctx->unpack_ = [&] {
      std::vector<Tensor> tensors;
      for (const Kept& entry : kept) tensors.push_back(entry.is_result ? y : entry.tensor.get());
      return tensors;
    };
    struct Closing {
      AutogradContext& ctx;
      ~Closing() { ctx.unpack_ = nullptr; }
    } const closing{*ctx};
    std::vector<Tensor> results = backward(*ctx, g);
    if (results.size() != gradients.size()) {
      fail("{}: backward must return one gradient per argument of forward, {}, got {}", name, gradients.size(),
           results.size());
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (gradients.wanted(i)) gradients[i] = std::move(results[i]);
    }
  }
};

namespace detail {

Tensor run_function(std::string_view name, const std::vector<Tensor>& inputs,
                    const std::function<Tensor(AutogradContext&)>& forward, FunctionBackward backward) {
  FunctionCall call{interned(name), backward, std::make_unique<AutogradContext>(), {}};
  for (const Tensor& input : inputs) call.ctx->needed_.push_back(grad_enabled && needs_grad(input));
  Tensor result;
  {
    const NoGrad guard;
    result = forward(*call.ctx);
  }
  if (!result.defined()) fail("{}: forward returned an undefined tensor", name);
  // A function may hand an argument through, or something with a history: the result is a tensor of its own.
  const Tensor returned = result;
  result = as_result(returned, inputs);
  for (Tensor& tensor : call.ctx->to_save_) {
    if (tensor.defined() && tensor.is(returned)) tensor = result;
  }
  if (!detail::needs_recording(call.name, inputs) || !is_floating_point(result.dtype())) return result;
  call.keep(result);
  if (call.keeps_result()) return record_joint(call.name, result, inputs, std::move(call));
  return record_joint(
      call.name, result, inputs,
      [call = std::move(call)](const Tensor& g, Gradients& gradients) mutable { call(g, {}, gradients); });
}

std::string readable_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                         &std::free);
  const std::string full = status == 0 ? name.get() : type.name();
  const std::size_t scope = full.rfind("::", full.find('<'));  // not inside of template arguments
  return scope == std::string::npos ? full : full.substr(scope + 2);
}

}  // namespace detail
}  // namespace gradus
