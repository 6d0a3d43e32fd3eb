// A checkpoint: while its function runs for the first time, each tensor that an op saves is left out, and a stub with a
// number takes its place. When a derivative first reads one, the function runs again, and the tensors that its ops save
// then are those, in the same order. Only values are taken from the second run: the history of a saved tensor stays
// what it was, so that derivatives of higher order lead through the first run's tape, stubs and all.

#include "gradus/checkpoint.hpp"

#include <optional>
#include <unordered_set>
#include <vector>

#include "autograd/exchanged.hpp"
#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/random.hpp"

namespace gradus {
namespace {

using ListFunction = std::function<Tensor(const std::vector<Tensor>&)>;

// What is needed to run a checkpoint's function again, and what the second run has found.
class Frame {
 public:
  Frame(ListFunction fn, const std::vector<Tensor>& inputs, const CheckpointOptions& options)
      : fn_(std::move(fn)), inputs_(inputs.begin(), inputs.end()), observed_(observer != nullptr) {
    if (options.preserve_rng_state) generator_ = default_generator();
  }

  std::uint32_t leave_out(const Tensor& tensor) {
    left_out_.push_back({tensor.dtype(), tensor.shape(), true, {}});
    return static_cast<std::uint32_t>(left_out_.size());
  }

  void reads(const Tensor& leaf) {
    if (known_leaves_.insert(&impl(leaf)).second) leaves_.emplace_back(leaf);
  }

  // The stubs that took the tensors' places. Those that nobody else holds belong to derivatives that nobody wants.
  void finish(const std::vector<Tensor>& stubs) {
    for (std::size_t i = 0; i < stubs.size(); ++i) left_out_[i].needed = impl(stubs[i]).references > 1;
    finished_ = true;
  }

  Recalled take(std::uint32_t number) {
    if (!finished_) fail("checkpoint: the function must not differentiate what it has recorded itself");
    Recalled& value = left_out_[number - 1].value;
    if (!value.tensor.defined()) run_again();
    return std::exchange(value, Recalled());
  }

 private:
  struct LeftOut {
    Dtype dtype;
    Shape shape;
    bool needed;
    Recalled value;  // between the second run and the derivative that reads it
  };

  // Collects what the second run saves.
  struct Collector final : Keeper {
    explicit Collector(const std::vector<LeftOut>& left_out) : expected(left_out) {}
    std::uint32_t keep(Tensor& tensor) override {
      const std::size_t i = values.size();
      if (i == expected.size()) fail_different(i + 1);
      if (tensor.shape() != expected[i].shape || tensor.dtype() != expected[i].dtype) {
        fail("checkpoint: the function must compute the same each time: saved tensor {} was {} {}, then {} {}", i + 1,
             expected[i].dtype, expected[i].shape, tensor.dtype(), tensor.shape());
      }
      values.push_back(expected[i].needed ? Recalled{alias(tensor), tensor.version()} : Recalled());
      return 0;
    }
    void reads(const Tensor&) override {}
    [[noreturn]] void fail_different(std::size_t count) const {
      fail("checkpoint: the function must compute the same each time: it saved {} tensors at first, then {}{}",
           expected.size(), count, count > expected.size() ? " or more" : "");
    }
    const std::vector<LeftOut>& expected;
    std::vector<Recalled> values;
  };

  struct Unconcerned final : Observer {};

  void run_again() {
    for (const Saved& leaf : leaves_) leaf.get();  // throws if it has changed
    const std::vector<Tensor> inputs(inputs_.begin(), inputs_.end());
    Collector collector(left_out_);
    {
      const Exchanged<Keeper*> collecting(keeper, &collector);
      const Exchanged<const Node*> outside_of_vjps(running_node, nullptr);
      const EnableGrad recording;
      // Some ops are fused if nobody watches: then they save other tensors.
      Unconcerned unconcerned;
      const Observing as_before(observed_ ? &unconcerned : nullptr);
      std::optional<Exchanged<Generator>> replayed;
      if (generator_) replayed.emplace(default_generator(), *generator_);
      fn_(inputs);
    }
    if (collector.values.size() != left_out_.size()) collector.fail_different(collector.values.size());
    for (std::size_t i = 0; i < left_out_.size(); ++i) left_out_[i].value = std::move(collector.values[i]);
  }

  ListFunction fn_;
  std::vector<Saved> inputs_;
  std::vector<Saved> leaves_;  // that the function reads
  std::unordered_set<const TensorImpl*> known_leaves_;
  std::vector<LeftOut> left_out_;
  std::optional<Generator> generator_;
  bool observed_;
  bool finished_ = false;
};

Frame& frame_of(const Tensor& token) { return *static_cast<Frame*>(impl(token).node->joint.closure); }

// A tensor whose node owns the frame: stubs hold it, and with the last of them goes the frame.
Tensor new_token(ListFunction fn, const std::vector<Tensor>& inputs, const CheckpointOptions& options) {
  Tensor token = make_tensor({0}, float32);
  NodeRef node = detail::new_node("checkpoint", token, 0, detail::round_up(sizeof(Frame)));
  static_assert(alignof(Frame) <= alignof(std::max_align_t));
  node->joint.closure = new (detail::closure_room(node.get(), 0)) Frame(std::move(fn), inputs, options);
  node->joint.destroy_closure = &detail::destroy_vjp<Frame>;
  impl(token).node = std::move(node);
  return token;
}

// Leaves out what the first run saves.
class Omitter final : public Keeper {
 public:
  explicit Omitter(const Tensor& token) : token_(token), outer_(keeper) {}

  std::uint32_t keep(Tensor& tensor) override {
    const TensorImpl& t = impl(tensor);
    TensorImpl* stub = new (pool::allocate(sizeof(TensorImpl))) TensorImpl;  // without memory for values
    stub->dtype = t.dtype;
    stub->shape = t.shape;
    stub->numel = t.numel;
    stub->node = t.node;
    stub->grad = token_;
    const std::uint32_t number = frame_of(token_).leave_out(tensor);
    tensor = Tensor(stub);
    stubs_.push_back(tensor);
    return number;
  }

  void reads(const Tensor& leaf) override {
    frame_of(token_).reads(leaf);
    if (outer_ != nullptr) outer_->reads(leaf);
  }

  void finish() { frame_of(token_).finish(stubs_); }

 private:
  Tensor token_;
  Keeper* outer_;
  std::vector<Tensor> stubs_;
};

}  // namespace

Recalled recall(const Tensor& stub, std::uint32_t number) {
  const TensorImpl& s = impl(stub);
  Recalled value = frame_of(s.grad).take(number);
  impl(value.tensor).node = s.node;
  return value;
}

Tensor checkpoint(const ListFunction& fn, const std::vector<Tensor>& inputs, const CheckpointOptions& options) {
  if (!grad_enabled) return fn(inputs);
  const Tensor token = new_token(fn, inputs, options);
  Omitter omitter(token);
  const Exchanged<Keeper*> omitting(keeper, &omitter);
  Tensor result = fn(inputs);
  omitter.finish();
  return result;
}

Tensor checkpoint(const std::function<Tensor(const Tensor&)>& fn, const Tensor& x, const CheckpointOptions& options) {
  return checkpoint([fn](const std::vector<Tensor>& inputs) { return fn(inputs[0]); }, {x}, options);
}

}  // namespace gradus
