// The workloads in gradus, written as its README teaches.
#include <gradus/gradus.hpp>

#include <memory>
#include <span>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using gradus::Shape;
using gradus::Tensor;

Tensor floats(const std::vector<float>& values, const Shape& shape, bool requires_grad = false) {
  return gradus::tensor(std::span<const float>(values), shape, {.requires_grad = requires_grad});
}

// Norms stay as they are: at 1 and 0.
void set_weights(gradus::nn::Sequential& model) {
  gradus::NoGrad guard;
  uint64_t seed = 10;
  for (auto& [name, p] : model.named_parameters()) {
    if (p.dim() == 1 && name.find("weight") != std::string::npos) continue;  // a norm's
    if (p.dim() >= 2) {
      p.copy_(floats(bench::initial_weight(p.size(0), p.numel() / p.size(0), seed++), p.shape()));
    } else {
      p.zero_();
    }
  }
}

gradus::nn::Sequential make_mlp(const bench::Mlp& mlp) {
  gradus::nn::Sequential model;
  for (std::size_t i = 0; i + 1 < mlp.widths.size(); ++i) {
    if (i > 0) model.push_back(gradus::nn::ReLU());
    model.push_back(gradus::nn::Linear(mlp.widths[i], mlp.widths[i + 1]));
  }
  return model;
}

gradus::nn::Sequential make_lenet() {
  using namespace gradus::nn;
  const auto images = [](const Tensor& x) { return x.reshape({-1, 1, bench::kImageSide, bench::kImageSide}); };
  return Sequential(images, Conv2d(1, 16, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Conv2d(16, 32, 3, {.padding = 1}),
                    ReLU(), MaxPool2d(2), Flatten(), Linear(32 * 7 * 7, 128), ReLU(), Linear(128, 10));
}

gradus::nn::Sequential make_batch_norm_net() {
  using namespace gradus::nn;
  Sequential model([](const Tensor& x) {
    return x.reshape({-1, bench::kColours, bench::kColourSide, bench::kColourSide});
  });
  for (int64_t in = bench::kColours, i = 0; i < 3; ++i, in = bench::kChannels) {
    model.push_back(Conv2d(in, bench::kChannels, 3, {.padding = 1, .bias = false}));
    model.push_back(BatchNorm2d(bench::kChannels));
    model.push_back(ReLU());
  }
  model.push_back(AdaptiveAvgPool2d(1));
  model.push_back(Flatten());
  model.push_back(Linear(bench::kChannels, 10));
  return model;
}

gradus::nn::Sequential make_lstm() {
  using namespace gradus::nn;
  const auto sequences = [](const Tensor& x) {
    return x.reshape({-1, bench::kSequenceSteps, bench::kSequenceInputs}).transpose(0, 1);
  };
  const auto last = [](const Tensor& output) { return output[-1]; };
  return Sequential(sequences, LSTM(bench::kSequenceInputs, bench::kSequenceHidden), last,
                    Linear(bench::kSequenceHidden, 10));
}
struct Gpt : gradus::nn::Module {
  explicit Gpt(const bench::Gpt& gpt)
      : token(gpt.vocabulary, gpt.width),
        position(gradus::zeros({gpt.block, gpt.width})),
        body({gpt.width,
              gpt.heads,
              {.dim_feedforward = 4 * gpt.width,
               .dropout = 0,
               .activation = gradus::nn::Activation::gelu,
               .batch_first = true,
               .norm_first = true}},
             gpt.layers, {.norm = gradus::nn::LayerNorm(gpt.width)}),
        head(gpt.width, gpt.vocabulary) {}
  GRADUS_MODULE(position, token, body, head)  // a parameter of its own first, as libtorch lists them

  // (batch, block) -> (batch * block, vocabulary)
  Tensor forward(const Tensor& x) override {
    const Tensor h = body(token(x) + position, {.is_causal = true});
    return head(gradus::flatten(h, 0, 1));
  }

  gradus::nn::Embedding token;
  gradus::nn::Parameter position;
  gradus::nn::TransformerEncoder body;
  gradus::nn::Linear head;
};

std::unique_ptr<gradus::optim::Optimizer> make_optimizer(bench::Rule rule, double lr,
                                                         const std::vector<Tensor>& params) {
  namespace optim = gradus::optim;
  switch (rule) {
    case bench::Rule::sgd:
      return std::make_unique<optim::SGD>(params, optim::SGDOptions{.lr = lr});
    case bench::Rule::momentum:
      return std::make_unique<optim::SGD>(params, optim::SGDOptions{.lr = lr, .momentum = bench::kMomentum});
    case bench::Rule::adam:
      return std::make_unique<optim::Adam>(params, optim::AdamOptions{.lr = lr});
    case bench::Rule::adamw:
      return std::make_unique<optim::AdamW>(params, optim::AdamWOptions{.lr = lr});
    case bench::Rule::rmsprop:
      return std::make_unique<optim::RMSprop>(params, optim::RMSpropOptions{.lr = lr});
    case bench::Rule::adagrad:
      return std::make_unique<optim::Adagrad>(params, optim::AdagradOptions{.lr = lr});
    case bench::Rule::lion:
      return std::make_unique<optim::Lion>(params, optim::LionOptions{.lr = lr});
  }
  throw std::logic_error("unknown rule");
}

double abs_sum(const Tensor& t) { return t.abs().sum().item(); }

struct Training {
  Training(gradus::nn::Sequential network, bench::Rule rule, double lr, bench::Loss loss, Tensor inputs, Tensor targets)
      : model(std::move(network)),
        optimizer(make_optimizer(rule, lr, model.parameters())),
        kind(loss),
        x(std::move(inputs)),
        y(std::move(targets)) {
    set_weights(model);
  }

  Tensor step() {
    optimizer->zero_grad();
    Tensor out = model(x);
    Tensor loss = kind == bench::Loss::mse ? gradus::mse_loss(out, y) : gradus::cross_entropy(out, y);
    loss.backward();
    optimizer->step();
    return loss;
  }

  std::vector<double> check() {
    std::vector<double> losses;
    for (int i = 0; i < bench::kCheckSteps; ++i) losses.push_back(step().item());
    if (!(losses.back() < losses.front())) throw std::runtime_error("the loss does not fall");
    for (const Tensor& p : model.parameters()) bench::require_real(abs_sum(p.grad()), "gradient");
    return {losses.front(), losses.back()};
  }

  gradus::nn::Sequential model;
  std::unique_ptr<gradus::optim::Optimizer> optimizer;
  bench::Loss kind;
  Tensor x, y;
};

bench::Prepared prepared(std::shared_ptr<Training> t) {
  return {[t] { t->step(); }, [t] { return t->check(); }};
}

bench::Prepared training(const bench::Mlp& mlp, gradus::nn::Sequential network) {
  const Tensor y = mlp.loss == bench::Loss::mse ? floats(bench::targets(mlp), {mlp.batch, mlp.widths.back()})
                                                : gradus::tensor(bench::labels(mlp));
  return prepared(std::make_shared<Training>(std::move(network), mlp.rule, mlp.lr, mlp.loss,
                                             floats(bench::inputs(mlp), {mlp.batch, mlp.widths.front()}), y));
}

bench::Prepared training(const bench::Gpt& gpt) {
  const Tensor x = gradus::tensor(bench::characters(gpt, 1)).reshape({gpt.batch, gpt.block});
  return prepared(std::make_shared<Training>(gradus::nn::Sequential(Gpt(gpt)), gpt.rule, gpt.lr,
                                             bench::Loss::cross_entropy, x, gradus::tensor(bench::characters(gpt, 2))));
}

bench::Prepared step_only(const bench::StepOnly& work) {
  std::vector<Tensor> params;
  for (int64_t i = 0; i < work.count; ++i) {
    params.push_back(floats(bench::uniform(work.size, -1, 1, 3), {work.size}, true));
    params.back().set_grad(floats(bench::uniform(work.size, -1, 1, 4), {work.size}));
  }
  std::shared_ptr<gradus::optim::Optimizer> optimizer = make_optimizer(work.rule, bench::kStepRate, params);
  return {[optimizer] { optimizer->step(); },
          [optimizer, p = params.back()]() -> std::vector<double> {
            Tensor before = p.detach().clone();
            for (int i = 0; i < 2; ++i) optimizer->step();
            const double moved = (p.detach() - before).abs().mean().item();
            bench::require_real(moved, "movement of the parameter");
            return {moved};
          }};
}

bench::Prepared chain() {
  const Shape shape = {bench::kChainSide, bench::kChainSide};
  const int64_t count = bench::kChainSide * bench::kChainSide;
  Tensor x = floats(bench::uniform(count, 0.5, 1.5, 5), shape, true);
  Tensor w = floats(bench::uniform(count, 0.99, 1.01, 6), shape);
  auto step = [x, w]() mutable {
    x.zero_grad();
    Tensor y = x;
    for (int64_t i = 0; i < bench::kChainLength; ++i) y = y * w;
    y = y.sum();
    y.backward();
    return y;
  };
  return {[step]() mutable { step(); },
          [step, x]() mutable -> std::vector<double> {
            const double value = step().item();
            const double grad = abs_sum(x.grad());
            bench::require_real(grad, "gradient");
            return {value, grad};
          }};
}

bench::Prepared bcast_softmax() {
  const int64_t n = bench::kSoftmaxSide;
  Tensor a = floats(bench::uniform(n * n, -1, 1, 7), {n, n}, true);
  Tensor c = floats(bench::uniform(n, 0.5, 1.5, 8), {n, 1}, true);
  auto step = [a, c]() mutable {
    a.zero_grad();
    c.zero_grad();
    Tensor y = (gradus::softmax(gradus::tanh(a * c), 1) * a).sum();
    y.backward();
    return y;
  };
  return {[step]() mutable { step(); },
          [step, a, c]() mutable -> std::vector<double> {
            const double value = step().item();
            const double ga = abs_sum(a.grad()), gc = abs_sum(c.grad());
            bench::require_real(ga, "gradient of a");
            bench::require_real(gc, "gradient of c");
            return {value, ga, gc};
          }};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<bench::Workload> workloads;
  for (const bench::Mlp& mlp : bench::mlps())
    workloads.push_back({mlp.name, [&mlp] { return training(mlp, make_mlp(mlp)); }});
  workloads.push_back({bench::lenet().name, [] { return training(bench::lenet(), make_lenet()); }});
  workloads.push_back(
      {bench::batch_norm_net().name, [] { return training(bench::batch_norm_net(), make_batch_norm_net()); }});
  workloads.push_back({bench::lstm().name, [] { return training(bench::lstm(), make_lstm()); }});
  workloads.push_back({bench::chargpt().name, [] { return training(bench::chargpt()); }});
  for (const bench::StepOnly& work : bench::steps_only()) {
    workloads.push_back({work.name, [&work] { return step_only(work); }});
  }
  workloads.push_back({"chain_100_mul_8x8_fwd_bwd", chain});
  workloads.push_back({"bcast_softmax_512x512_fwd_bwd", bcast_softmax});
  return bench::run(
      argc, argv, "gradus", [](int threads) { gradus::set_num_threads(threads); }, workloads);
}
