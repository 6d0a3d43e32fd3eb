// Penalties, max-norm and mixup.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/sgd.hpp"
#include "messages.hpp"

using namespace gradus;
using gradus::tests::message_of;

TEST_CASE("penalties are differentiable sums over all parameters") {
  const Tensor a = tensor({{1.0, -2.0}, {0.0, 3.0}}, {.dtype = float64, .requires_grad = true});
  const Tensor b = tensor({-0.5}, {.dtype = float64, .requires_grad = true});
  CHECK(l1_penalty({a, b}).item() == 6.5);
  CHECK(l2_penalty({a, b}).item() == 14.25);
  const Tensor elastic = elastic_net_penalty({a, b}, {.l1 = 2, .l2 = 4});
  CHECK(elastic.item() == 2 * 6.5 + 4 * 14.25);
  CHECK(elastic_net_penalty({a, b}).item() == (6.5 + 14.25) / 2);
  CHECK(elastic.shape() == Shape{});

  const std::vector<Tensor> of_l1 = grad(l1_penalty({a, b}), {a, b}), of_l2 = grad(l2_penalty({a, b}), {a, b});
  CHECK(equal(of_l1[0], sign(a)));
  CHECK(equal(of_l1[1], sign(b)));
  CHECK(equal(of_l2[0], 2.0 * a));
  CHECK(equal(of_l2[1], 2.0 * b));
  CHECK(equal(grad(elastic, {a})[0], 2.0 * sign(a) + 8.0 * a));
}

TEST_CASE("c l2_penalty in the loss is a weight decay of 2 c in SGD") {
  manual_seed(1);
  nn::Linear penalised(3, 2, {.dtype = float64});
  nn::Linear decayed = penalised;
  const Tensor x = randn({5, 3}, {.dtype = float64}), y = randn({5, 2}, {.dtype = float64});
  optim::SGD first(penalised.parameters(), {.lr = 0.1}), second(decayed.parameters(), {.lr = 0.1, .weight_decay = 0.5});
  for (int i = 0; i < 5; ++i) {
    first.zero_grad();
    (mse_loss(penalised(x), y) + 0.25 * l2_penalty(penalised.parameters())).backward();
    first.step();
    second.zero_grad();
    mse_loss(decayed(x), y).backward();
    second.step();
  }
  CHECK(allclose(penalised.weight, decayed.weight, {.rtol = 1e-13, .atol = 1e-14}));
}

TEST_CASE("max_norm_ shortens the weights of the units that are too long, and no others") {
  Tensor w = tensor({{3.0, 4.0}, {0.3, 0.4}, {0.0, 0.0}}, {.dtype = float64, .requires_grad = true});
  Tensor bias = tensor({9.0, 9.0, 9.0}, {.dtype = float64, .requires_grad = true});
  max_norm_({w, bias}, 2);
  CHECK(allclose(w, tensor({{1.2, 1.6}, {0.3, 0.4}, {0.0, 0.0}}, {.dtype = float64}), {.rtol = 1e-15}));
  CHECK(equal(bias, full({3}, 9, {.dtype = float64})));
  CHECK((w.is_leaf() && w.requires_grad()));

  manual_seed(2);
  const Tensor kernel = randn({4, 3, 5, 5}), before = kernel.clone();
  max_norm_({kernel}, 3);
  CHECK(norm(kernel, 2, {1, 2, 3}).max().item() <= 3 * (1 + 1e-6));
  const Tensor ratio = kernel / before;
  CHECK(allclose(ratio, ratio.select(1, 0).select(1, 0).select(1, 0).reshape({4, 1, 1, 1}).expand({4, 3, 5, 5})));
  const Tensor transposed = randn({4, 3, 5, 5});
  max_norm_({transposed}, 3, {.dim = 1});
  CHECK(norm(transposed, 2, {0, 2, 3}).max().item() == doctest::Approx(3).epsilon(1e-6));
  const Tensor none = randn({2, 2});
  max_norm_({none}, 0);
  CHECK(equal(none, zeros({2, 2})));
  // What is short enough is not even written to.
  const std::uint32_t version = none.version();
  max_norm_({none}, 1);
  CHECK(none.version() == version);
}

TEST_CASE("mixup blends inputs and targets by the same share and partner") {
  manual_seed(3);
  const Tensor x = arange(0, 12, 1, {.dtype = float64}).reshape({6, 2});
  // Targets that tell who has been blended with whom.
  const Tensor y = eye(6, {.dtype = float64});
  const Mixup mixed = mixup(x, y, 1);
  CHECK(mixed.lambda > 0);
  CHECK(mixed.lambda < 1);
  CHECK(allclose(mixed.inputs, matmul(mixed.targets, x), {.rtol = 1e-14}));
  CHECK(allclose(mixed.targets.sum(1), ones({6}, {.dtype = float64}), {.rtol = 1e-14}));
  CHECK(mixed.targets.diagonal().min().item() >= mixed.lambda);
  CHECK(allclose(mixed.targets.sum(0), ones({6}, {.dtype = float64}), {.rtol = 1e-14}));
}

TEST_CASE("mixup makes probabilities of classes, which cross_entropy takes") {
  manual_seed(4);
  const Tensor x = randn({8, 3}), y = tensor({0, 1, 2, 0, 1, 2, 0, 1});
  const Mixup mixed = mixup(x, y, 0.4, {.num_classes = 5});
  CHECK(mixed.targets.shape() == Shape{8, 5});
  CHECK(mixed.targets.dtype() == float32);
  CHECK(allclose(mixed.targets.sum(1), ones({8})));
  CHECK(std::isfinite(cross_entropy(randn({8, 5}), mixed.targets).item()));
  CHECK(mixup(x, y, 0.4).targets.shape() == Shape{8, 3});

  const Mixup same = mixup(x, y, 0);
  CHECK(same.lambda == 1);
  CHECK(equal(same.inputs, x));
  CHECK(equal(same.targets, one_hot(y).to(float32)));
}

TEST_CASE("the share of mixup has a Beta(alpha, alpha) distribution") {
  const Tensor x = zeros({1, 1}), y = zeros({1, 1});
  for (double alpha : {0.01, 0.2, 1.0, 4.0}) {
    CAPTURE(alpha);
    Generator generator(5);
    const int count = 4000;
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < count; ++i) {
      const double d = mixup(x, y, alpha, {.generator = &generator}).lambda - 0.5;
      sum += d;
      squares += d * d;
      fourth += d * d * d * d;
    }
    // Mean 1/2, variance 1 / (4 (2 alpha + 1)), kurtosis 3 - 6 / (2 alpha + 3).
    const double variance = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(sum / count) < 4 * std::sqrt(variance / count));
    CHECK(squares / count == doctest::Approx(variance).epsilon(0.05));
    CHECK(fourth / count == doctest::Approx(variance * variance * (3 - 6 / (2 * alpha + 3))).epsilon(0.1));
  }
}

TEST_CASE("mixup repeats itself from a generator's state") {
  const Tensor x = arange(12).reshape({6, 2}).to(float32), y = tensor({0, 1, 2, 0, 1, 2});
  Generator first(6), second(6), other(7);
  const Mixup a = mixup(x, y, 0.5, {.generator = &first}), b = mixup(x, y, 0.5, {.generator = &second});
  CHECK(a.lambda == b.lambda);
  CHECK(equal(a.inputs, b.inputs));
  CHECK(a.lambda != mixup(x, y, 0.5, {.generator = &other}).lambda);
}

TEST_CASE("loss modules are their functions with options") {
  manual_seed(8);
  const Tensor x = randn({4, 3}), y = randn({4, 3}), classes = tensor({0, 2, 1, 1}), signs = tensor({1, -1, 1, 1});
  const Tensor p = sigmoid(x), q = softmax(y, 1), w = tensor({1.0, 2.0, 0.5});
  const std::vector<std::pair<Tensor, Tensor>> pairs = {
      {nn::MSELoss()(x, y), mse_loss(x, y)},
      {nn::L1Loss({.reduction = Reduction::sum})(x, y), l1_loss(x, y, {.reduction = Reduction::sum})},
      {nn::HuberLoss({.delta = 0.5})(x, y), huber_loss(x, y, {.delta = 0.5})},
      {nn::SmoothL1Loss({.beta = 0.5})(x, y), smooth_l1_loss(x, y, {.beta = 0.5})},
      {nn::QuantileLoss({.quantile = 0.9})(x, y), quantile_loss(x, y, {.quantile = 0.9})},
      {nn::ExpectileLoss({.expectile = 0.9})(x, y), expectile_loss(x, y, {.expectile = 0.9})},
      {nn::LinexLoss({.a = -1})(x, y), linex_loss(x, y, {.a = -1})},
      {nn::PeakWeightedMSELoss({.threshold = 1, .weight = 5})(x, y),
       peak_weighted_mse_loss(x, y, {.threshold = 1, .weight = 5})},
      {nn::CrossEntropyLoss({.weight = w, .label_smoothing = 0.1})(x, classes),
       cross_entropy(x, classes, {.weight = w, .label_smoothing = 0.1})},
      {nn::NLLLoss({.ignore_index = 1})(x, classes), nll_loss(x, classes, {.ignore_index = 1})},
      {nn::BCELoss()(p, q), binary_cross_entropy(p, q)},
      {nn::BCEWithLogitsLoss({.pos_weight = w})(x, q), binary_cross_entropy_with_logits(x, q, {.pos_weight = w})},
      {nn::KLDivLoss({.reduction = Reduction::batchmean})(x, q), kl_div(x, q, {.reduction = Reduction::batchmean})},
      {nn::GaussianNLLLoss({.full = true})(x, y, q), gaussian_nll_loss(x, y, q, {.full = true})},
      {nn::HingeEmbeddingLoss({.margin = 2})(x.select(1, 0), signs),
       hinge_embedding_loss(x.select(1, 0), signs, {.margin = 2})},
      {nn::MultiMarginLoss({.p = 2})(x, classes), multi_margin_loss(x, classes, {.p = 2})},
      {nn::CosineEmbeddingLoss({.margin = 0.5})(x, y, signs), cosine_embedding_loss(x, y, signs, {.margin = 0.5})},
      {nn::TripletMarginLoss({.swap = true})(x, y, q), triplet_margin_loss(x, y, q, {.swap = true})},
  };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    CAPTURE(i);
    CHECK(equal(pairs[i].first, pairs[i].second));
  }
  // A loss goes wherever a function of input and target is wanted.
  const std::function<Tensor(const Tensor&, const Tensor&)> loss = nn::CrossEntropyLoss();
  CHECK(equal(loss(x, classes), cross_entropy(x, classes)));
  CHECK(nn::CrossEntropyLoss({.weight = w}).parameters().empty());
}

TEST_CASE("asymmetric losses cost what their sides say") {
  const Tensor low = tensor({1.0}), high = tensor({5.0}), truth = tensor({3.0});
  CHECK(quantile_loss(low, truth, {.quantile = 0.75}).item() == 1.5);
  CHECK(quantile_loss(high, truth, {.quantile = 0.75}).item() == 0.5);
  CHECK(expectile_loss(low, truth, {.expectile = 0.75}).item() == 3);
  CHECK(expectile_loss(high, truth, {.expectile = 0.75}).item() == 1);
  CHECK(linex_loss(high, truth, {.a = 1}).item() == doctest::Approx(std::exp(2.0) - 3));
  CHECK(linex_loss(low, truth, {.a = 1}).item() == doctest::Approx(std::exp(-2.0) + 1));
  const PeakWeightedOptions peaks{.threshold = 2, .weight = 10};
  CHECK(peak_weighted_mse_loss(low, truth, peaks).item() == 40);
  CHECK(peak_weighted_mse_loss(high, truth, peaks).item() == 4);
  CHECK(peak_weighted_mse_loss(low - 2.0, truth - 2.0, peaks).item() == 4);
}

TEST_CASE("the quantile loss is least at the quantile, the expectile loss at the expectile") {
  const Tensor sample = arange(1, 102).to(float64);  // 1 ... 101
  const auto slope_at = [&](double at, const auto& loss) {
    const Tensor x = full({}, at, {.dtype = float64, .requires_grad = true});
    return grad(loss(x.expand({101}), sample), {x})[0].item();
  };
  const auto quantile = [](const Tensor& x, const Tensor& y) { return quantile_loss(x, y, {.quantile = 0.9}); };
  CHECK(slope_at(90.5, quantile) < 0);
  CHECK(slope_at(91.5, quantile) > 0);
  const auto middle = [](const Tensor& x, const Tensor& y) { return expectile_loss(x, y); };
  CHECK(slope_at(51, middle) == doctest::Approx(0));
}

TEST_CASE("wrong penalties, norms and mixtures are refused with one exact line") {
  const std::vector<std::pair<std::function<void()>, std::string>> wrong = {
      {[] { l1_penalty({}); }, "l1_penalty: there is no parameter"},
      {[] {
         l2_penalty({zeros({1}), zeros({1}, {.dtype = float64})});
       },
       "l2_penalty: dtypes of parameters differ: float32 and float64"},
      {[] { elastic_net_penalty({zeros({1})}, {.l1 = -1}); },
       "elastic_net_penalty: l1 and l2 must be at least 0, got -1 and 0.5"},
      {[] {
         max_norm_({zeros({2, 2})}, -1);
       },
       "max_norm_: max_norm must be at least 0, got -1"},
      {[] {
         max_norm_({zeros({2, 2})}, 1, {.dim = 2});
       },
       "max_norm_: dim 2 is out of range for (2, 2)"},
      {[] {
         mixup(zeros({2, 2}), zeros({2}), -1);
       },
       "mixup: alpha must be at least 0, got -1"},
      {[] {
         mixup(zeros({2, 2}), zeros({3}), 1);
       },
       "mixup: inputs and targets must be of one batch: (2, 2) and (3,)"},
      {[] {
         mixup(tensor({1, 2}), zeros({2}), 1);
       },
       "mixup: floating inputs are needed, got int64"},
  };
  for (const auto& [call, message] : wrong) {
    CAPTURE(message);
    CHECK(message_of(call) == message);
  }
}
