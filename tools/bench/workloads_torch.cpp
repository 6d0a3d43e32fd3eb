// The workloads in libtorch, written as its documentation teaches.
#include <torch/torch.h>

#include <memory>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

torch::Tensor floats(std::vector<float> values, std::vector<int64_t> shape) {
  return torch::from_blob(values.data(), shape).clone();
}

torch::Tensor integers(std::vector<int64_t> values, std::vector<int64_t> shape) {
  return torch::from_blob(values.data(), shape, torch::kInt64).clone();
}

// Norms stay as they are: at 1 and 0.
void set_weights(torch::nn::Sequential& model) {
  torch::NoGradGuard guard;
  uint64_t seed = 10;
  for (auto& item : model->named_parameters()) {
    torch::Tensor& p = item.value();
    if (p.dim() == 1 && item.key().find("weight") != std::string::npos) continue;  // a norm's
    if (p.dim() >= 2)
      p.copy_(floats(bench::initial_weight(p.size(0), p.numel() / p.size(0), seed++), p.sizes().vec()));
    else
      p.zero_();
  }
}

torch::nn::Sequential make_lenet() {
  using namespace torch::nn;
  const auto images = [](const torch::Tensor& x) { return x.reshape({-1, 1, bench::kImageSide, bench::kImageSide}); };
  return Sequential(Functional(images), Conv2d(Conv2dOptions(1, 16, 3).padding(1)), ReLU(), MaxPool2d(2),
                    Conv2d(Conv2dOptions(16, 32, 3).padding(1)), ReLU(), MaxPool2d(2), Flatten(),
                    Linear(32 * 7 * 7, 128), ReLU(), Linear(128, 10));
}

torch::nn::Sequential make_batch_norm_net() {
  using namespace torch::nn;
  const auto images = [](const torch::Tensor& x) {
    return x.reshape({-1, bench::kColours, bench::kColourSide, bench::kColourSide});
  };
  const auto means = [](const torch::Tensor& x) { return torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1); };
  Sequential model;
  model->push_back(Functional(images));
  for (int64_t in = bench::kColours, i = 0; i < 3; ++i, in = bench::kChannels) {
    model->push_back(Conv2d(Conv2dOptions(in, bench::kChannels, 3).padding(1).bias(false)));
    model->push_back(BatchNorm2d(bench::kChannels));
    model->push_back(ReLU());
  }
  model->push_back(Functional(means));
  model->push_back(Linear(bench::kChannels, 10));
  return model;
}

// The last output of an LSTM.
struct LastOfLstm : torch::nn::Module {
  torch::nn::LSTM lstm{bench::kSequenceInputs, bench::kSequenceHidden};
  LastOfLstm() { register_module("lstm", lstm); }
  torch::Tensor forward(const torch::Tensor& x) {
    return std::get<0>(lstm(x.reshape({-1, bench::kSequenceSteps, bench::kSequenceInputs}).transpose(0, 1)))[-1];
  }
};

torch::nn::Sequential make_lstm() {
  return torch::nn::Sequential(LastOfLstm(), torch::nn::Linear(bench::kSequenceHidden, 10));
}

torch::nn::Sequential make_mlp(const bench::Mlp& mlp) {
  torch::nn::Sequential model;
  for (size_t i = 0; i + 1 < mlp.widths.size(); ++i) {
    if (i > 0) model->push_back(torch::nn::ReLU());
    model->push_back(torch::nn::Linear(mlp.widths[i], mlp.widths[i + 1]));
  }
  return model;
}

// libtorch's own encoder layer cannot normalise first: a block as GPTs in PyTorch are written.
struct BlockImpl : torch::nn::Module {
  explicit BlockImpl(const bench::Gpt& gpt)
      : heads(gpt.heads),
        in(register_module("in", torch::nn::Linear(gpt.width, 3 * gpt.width))),
        out(register_module("out", torch::nn::Linear(gpt.width, gpt.width))),
        up(register_module("up", torch::nn::Linear(gpt.width, 4 * gpt.width))),
        down(register_module("down", torch::nn::Linear(4 * gpt.width, gpt.width))),
        norm1(register_module("norm1", torch::nn::LayerNorm(torch::nn::LayerNormOptions({gpt.width})))),
        norm2(register_module("norm2", torch::nn::LayerNorm(torch::nn::LayerNormOptions({gpt.width})))),
        later(register_buffer("later", torch::ones({gpt.block, gpt.block}, torch::kBool).triu(1))) {}

  torch::Tensor attention(const torch::Tensor& x) {
    const int64_t b = x.size(0), t = x.size(1), c = x.size(2);
    const auto qkv = in(x).view({b, t, 3, heads, c / heads}).permute({2, 0, 3, 1, 4}).unbind();
    torch::Tensor weights = torch::matmul(qkv[0], qkv[1].transpose(-2, -1)) / std::sqrt(static_cast<double>(c / heads));
    weights = torch::softmax(weights.masked_fill(later, -INFINITY), -1);
    return out(torch::matmul(weights, qkv[2]).transpose(1, 2).reshape({b, t, c}));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor h = x + attention(norm1(x));
    return h + down(torch::gelu(up(norm2(h))));
  }

  int64_t heads;
  torch::nn::Linear in, out, up, down;
  torch::nn::LayerNorm norm1, norm2;
  torch::Tensor later;
};
TORCH_MODULE(Block);

struct GptImpl : torch::nn::Module {
  explicit GptImpl(const bench::Gpt& gpt)
      : token(register_module("token", torch::nn::Embedding(gpt.vocabulary, gpt.width))),
        position(register_parameter("position", torch::zeros({gpt.block, gpt.width}))),
        body(register_module("body", torch::nn::Sequential())),
        norm(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({gpt.width})))),
        head(register_module("head", torch::nn::Linear(gpt.width, gpt.vocabulary))) {
    for (int64_t i = 0; i < gpt.layers; ++i) body->push_back(Block(gpt));
  }

  torch::Tensor forward(const torch::Tensor& x) { return head(norm(body->forward(token(x) + position)).flatten(0, 1)); }

  torch::nn::Embedding token;
  torch::Tensor position;
  torch::nn::Sequential body;
  torch::nn::LayerNorm norm;
  torch::nn::Linear head;
};
TORCH_MODULE(Gpt);

std::unique_ptr<torch::optim::Optimizer> make_optimizer(bench::Rule rule, double lr,
                                                        std::vector<torch::Tensor> params) {
  namespace optim = torch::optim;
  switch (rule) {
    case bench::Rule::sgd:
      return std::make_unique<optim::SGD>(params, optim::SGDOptions(lr));
    case bench::Rule::momentum:
      return std::make_unique<optim::SGD>(params, optim::SGDOptions(lr).momentum(bench::kMomentum));
    case bench::Rule::adam:
      return std::make_unique<optim::Adam>(params, optim::AdamOptions(lr));
    case bench::Rule::adamw:
      return std::make_unique<optim::AdamW>(params, optim::AdamWOptions(lr));
    case bench::Rule::rmsprop:
      return std::make_unique<optim::RMSprop>(params, optim::RMSpropOptions(lr));
    case bench::Rule::adagrad:
      return std::make_unique<optim::Adagrad>(params, optim::AdagradOptions(lr));
    case bench::Rule::lion:
      break;
  }
  throw std::logic_error("libtorch has no such rule");
}

struct Training {
  Training(torch::nn::Sequential network, bench::Rule rule, double lr, bench::Loss loss, torch::Tensor inputs,
           torch::Tensor targets)
      : model(std::move(network)),
        optimizer(make_optimizer(rule, lr, model->parameters())),
        kind(loss),
        x(std::move(inputs)),
        y(std::move(targets)) {
    set_weights(model);
  }

  torch::Tensor step() {
    optimizer->zero_grad();
    torch::Tensor out = model->forward(x);
    torch::Tensor loss =
        kind == bench::Loss::mse ? torch::mse_loss(out, y) : torch::nn::functional::cross_entropy(out, y);
    loss.backward();
    optimizer->step();
    return loss;
  }

  std::vector<double> check() {
    std::vector<double> losses;
    for (int i = 0; i < bench::kCheckSteps; ++i) losses.push_back(step().item<double>());
    if (!(losses.back() < losses.front())) throw std::runtime_error("the loss does not fall");
    for (const torch::Tensor& p : model->parameters())
      bench::require_real(p.grad().abs().sum().item<double>(), "gradient");
    return {losses.front(), losses.back()};
  }

  torch::nn::Sequential model;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  bench::Loss kind;
  torch::Tensor x, y;
};

bench::Prepared prepared(std::shared_ptr<Training> t) {
  return {[t] { t->step(); }, [t] { return t->check(); }};
}

bench::Prepared training(const bench::Mlp& mlp, torch::nn::Sequential network) {
  const torch::Tensor y = mlp.loss == bench::Loss::mse ? floats(bench::targets(mlp), {mlp.batch, mlp.widths.back()})
                                                       : integers(bench::labels(mlp), {mlp.batch});
  return prepared(std::make_shared<Training>(std::move(network), mlp.rule, mlp.lr, mlp.loss,
                                             floats(bench::inputs(mlp), {mlp.batch, mlp.widths.front()}), y));
}

bench::Prepared training(const bench::Gpt& gpt) {
  return prepared(std::make_shared<Training>(torch::nn::Sequential(Gpt(gpt)), gpt.rule, gpt.lr,
                                             bench::Loss::cross_entropy,
                                             integers(bench::characters(gpt, 1), {gpt.batch, gpt.block}),
                                             integers(bench::characters(gpt, 2), {gpt.batch * gpt.block})));
}

bench::Prepared step_only(const bench::StepOnly& work) {
  std::vector<torch::Tensor> params;
  for (int64_t i = 0; i < work.count; ++i) {
    params.push_back(floats(bench::uniform(work.size, -1, 1, 3), {work.size}).set_requires_grad(true));
    params.back().mutable_grad() = floats(bench::uniform(work.size, -1, 1, 4), {work.size});
  }
  std::shared_ptr<torch::optim::Optimizer> optimizer = make_optimizer(work.rule, bench::kStepRate, params);
  return {[optimizer] { optimizer->step(); },
          [optimizer, p = params.back()]() -> std::vector<double> {
            torch::Tensor before = p.detach().clone();
            for (int i = 0; i < 2; ++i) optimizer->step();
            const double moved = (p.detach() - before).abs().mean().item<double>();
            bench::require_real(moved, "movement of the parameter");
            return {moved};
          }};
}

bench::Prepared chain() {
  const std::vector<int64_t> shape = {bench::kChainSide, bench::kChainSide};
  const int64_t count = bench::kChainSide * bench::kChainSide;
  torch::Tensor x = floats(bench::uniform(count, 0.5, 1.5, 5), shape).set_requires_grad(true);
  torch::Tensor w = floats(bench::uniform(count, 0.99, 1.01, 6), shape);
  auto step = [x, w]() mutable {
    x.mutable_grad() = torch::Tensor();
    torch::Tensor y = x;
    for (int64_t i = 0; i < bench::kChainLength; ++i) y = y * w;
    y = y.sum();
    y.backward();
    return y;
  };
  return {[step]() mutable { step(); },
          [step, x]() mutable -> std::vector<double> {
            const double value = step().item<double>();
            const double grad = x.grad().abs().sum().item<double>();
            bench::require_real(grad, "gradient");
            return {value, grad};
          }};
}

bench::Prepared bcast_softmax() {
  const int64_t n = bench::kSoftmaxSide;
  torch::Tensor a = floats(bench::uniform(n * n, -1, 1, 7), {n, n}).set_requires_grad(true);
  torch::Tensor c = floats(bench::uniform(n, 0.5, 1.5, 8), {n, 1}).set_requires_grad(true);
  auto step = [a, c]() mutable {
    a.mutable_grad() = torch::Tensor();
    c.mutable_grad() = torch::Tensor();
    torch::Tensor y = (torch::softmax(torch::tanh(a * c), 1) * a).sum();
    y.backward();
    return y;
  };
  return {[step]() mutable { step(); },
          [step, a, c]() mutable -> std::vector<double> {
            const double value = step().item<double>();
            const double ga = a.grad().abs().sum().item<double>(), gc = c.grad().abs().sum().item<double>();
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
    if (work.rule == bench::Rule::lion) continue;  // libtorch has none
    workloads.push_back({work.name, [&work] { return step_only(work); }});
  }
  workloads.push_back({"chain_100_mul_8x8_fwd_bwd", chain});
  workloads.push_back({"bcast_softmax_512x512_fwd_bwd", bcast_softmax});
  return bench::run(
      argc, argv, "torch", [](int threads) { torch::set_num_threads(threads); }, workloads);
}
