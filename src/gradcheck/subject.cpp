#include "gradcheck/subject.hpp"

#include <cmath>
#include <cstring>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"

namespace gradus::check {
namespace {

// FNV-1a over 8 bytes at a time: an accident is as good as impossible, and nobody attacks here.
std::uint64_t hash_of(const Tensor& ways) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3u + (hash >> 31); };
  const Tensor dense = ways.contiguous();
  dispatch(dense.dtype(), [&]<class T>() {
    for (const T value : dense.data<T>()) {
      std::uint64_t word = 0;
      std::memcpy(&word, &value, sizeof(T));
      mix(word);
    }
  });
  return hash;
}

class BranchRecorder final : public Observer {
 public:
  void branched(const char* op, const Tensor& ways) override { branches.push_back({op, hash_of(ways)}); }
  Branches branches;
};

}  // namespace

std::string first_difference(const Branches& a, const Branches& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i >= a.size()) return b[i].op;
    if (i >= b.size() || a[i] != b[i]) return a[i].op;
  }
  return {};
}

Replay::Replay(const std::vector<Generator*>& generators) {
  states_.emplace_back(&default_generator(), default_generator());
  for (Generator* generator : generators) states_.emplace_back(generator, *generator);
}

void Replay::rewind() const {
  for (const auto& [generator, state] : states_) *generator = state;
}

Subject::Subject(Run run, std::vector<Tensor> variables, std::shared_ptr<const Replay> replay)
    : run_(std::move(run)), variables_(std::move(variables)), replay_(std::move(replay)) {}

std::vector<Tensor> Subject::run() const {
  replay_->rewind();
  const EnableGrad recording;
  std::vector<Tensor> outputs = run_();
  std::erase_if(outputs, [](const Tensor& output) { return !output.defined() || !is_floating_point(output.dtype()); });
  return outputs;
}

Sample Subject::sample() const {
  BranchRecorder recorder;
  Sample sample;
  {
    const Observing observing(&recorder);
    for (const Tensor& output : run()) {
      const std::vector<double> values = values_of(output);
      sample.values.insert(sample.values.end(), values.begin(), values.end());
    }
  }
  sample.branches = std::move(recorder.branches);
  for (const double value : sample.values) sample.finite = sample.finite && std::isfinite(value);
  return sample;
}

Subject gradient_of(const Subject& subject, std::uint64_t seed) {
  Generator generator(seed);
  std::vector<Tensor> cotangents;
  for (const Tensor& output : subject.run()) {
    Tensor cotangent = from_values(random_weights(output.numel(), generator), output.shape(), output.dtype());
    cotangents.push_back(cotangent.set_requires_grad());
  }
  std::vector<Tensor> variables = subject.variables();
  variables.insert(variables.end(), cotangents.begin(), cotangents.end());
  const auto run = [subject, cotangents] {
    std::vector<Tensor> total(subject.variables().size());
    const std::vector<Tensor> outputs = subject.run();
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].requires_grad()) continue;
      const std::vector<Tensor> part = grad(
          outputs[k], subject.variables(), {.grad_outputs = cotangents[k], .create_graph = true, .allow_unused = true});
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i].defined()) total[i] = total[i].defined() ? total[i] + part[i] : part[i];
      }
    }
    return total;
  };
  return Subject(run, variables, subject.replay());
}

std::vector<double> values_of(const Tensor& tensor) {
  const NoGrad guard;
  const Tensor dense = tensor.detach().to(float64).contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

void write_values(Tensor tensor, const std::vector<double>& values) {
  const NoGrad guard;
  tensor.copy_(from_values(values, tensor.shape(), float64));
}

Tensor copy_with_layout(const Tensor& tensor, Dtype dtype) {
  const NoGrad guard;
  const TensorImpl& t = impl(tensor);
  std::int64_t reach = 1;
  bool plain = tensor.is_contiguous();
  for (std::int64_t i = 0; i < t.shape.size(); ++i) {
    reach += (t.shape[i] - 1) * t.strides[i];
    plain = plain || (t.strides[i] == 0 && t.shape[i] > 1);  // elements that share memory must become independent
  }
  if (plain || t.numel == 0) return tensor.detach().to(dtype).clone();
  const Tensor room = zeros({reach}, {.dtype = dtype});
  Tensor copy = alias(make_view(room, t.shape, t.strides, 0));
  copy.copy_(tensor);
  return copy;
}

Tensor copy_scattered(const Tensor& tensor) {
  const NoGrad guard;
  const Shape& shape = tensor.shape();
  if (tensor.numel() < 2 || shape.empty()) return {};
  // Twice as much room in the last dim, of which every second place is used, with the dims in reverse order.
  Shape strides = shape;
  std::int64_t step = 2;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    strides[i] = step;
    step *= shape[i];
  }
  const Tensor room = zeros({step}, {.dtype = tensor.dtype()});
  Tensor copy = alias(make_view(room, shape, strides, 0));
  copy.copy_(tensor);
  return copy;
}

std::vector<double> random_weights(std::int64_t count, Generator& generator) {
  std::vector<double> weights;
  if (count == 0) return weights;
  const NoGrad guard;
  weights = values_of(randn({count}, {.dtype = float64, .generator = &generator}));
  for (double& w : weights) w += w < 0 ? -0.1 : 0.1;
  return weights;
}

Tensor from_values(const std::vector<double>& values, const Shape& shape, Dtype dtype) {
  const NoGrad guard;
  return tensor(std::span<const double>(values), shape, {.dtype = dtype});
}

}  // namespace gradus::check
