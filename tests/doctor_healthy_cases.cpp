#include "doctor_cases.hpp"

namespace gradus::tests {
namespace {

using namespace nn;
using P = DoctorPatient;

const train::LossFunction entropy = CrossEntropyLoss();

template <class Activation>
Sequential mlp(std::int64_t in, std::int64_t hidden, std::int64_t out) {
  return Sequential(Linear(in, hidden), Activation(), Linear(hidden, hidden), Activation(), Linear(hidden, out));
}

data::Dataset some_digits(std::int64_t n) {
  const data::Dataset all = data::digits();
  const Tensor which = randperm(all.size()).narrow(0, 0, n);
  return {index_select(all.x, 0, which), index_select(all.y, 0, which)};
}

Sequential conv_net(bool with_norm) {
  Sequential net(Conv2d(1, 6, 3, {.padding = 1}));
  if (with_norm) net.push_back(BatchNorm2d(6));
  for (AnyModule layer : {AnyModule(ReLU()), AnyModule(MaxPool2d(2)), AnyModule(Conv2d(6, 8, 3, {.padding = 1})),
                          AnyModule(ReLU()), AnyModule(Flatten()), AnyModule(Linear(128, 4))}) {
    net.push_back(layer);
  }
  return net;
}

// Trained for a while, so that gradients are small and the loss is far below that of guessing.
P trained(P patient, int steps) {
  for (int i = 0; i < steps; ++i) {
    patient.optimizer->zero_grad();
    patient.loss((*patient.model)(patient.batch.x), patient.batch.y).backward();
    patient.optimizer->step();
  }
  return patient;
}

P zero_head() {
  Sequential model = mlp<GELU>(6, 16, 3);
  change(model, "4.weight", [](Tensor& w) { w.zero_(); });
  change(model, "4.bias", [](Tensor& b) { b.zero_(); });
  return {model, entropy, blobs(32, 6, 3)};
}

P frozen_backbone() {
  P patient{mlp<ReLU>(6, 16, 3), entropy, blobs(32, 6, 3)};
  auto& model = static_cast<Sequential&>(*patient.model);
  model[0].requires_grad_(false);
  std::vector<Tensor> head;
  for (const std::int64_t i : {2, 4}) {
    for (const Tensor& p : model[i].parameters()) head.push_back(p);
  }
  patient.optimizer = std::make_unique<optim::Adam>(head, optim::AdamOptions{.lr = 3e-3});
  return patient;
}

P language() {
  const Tensor tokens = randint(12, {8, 9});
  return {Sequential(Embedding(12, 10), LSTM(10, 16, {.batch_first = true}), Linear(16, 12),
                     [](const Tensor& x) { return x.transpose(1, 2); }),
          entropy,
          {tokens.narrow(1, 0, 8), tokens.narrow(1, 1, 8)}};
}

}  // namespace

const std::vector<DoctorCase>& healthy_cases() {
  static const std::vector<DoctorCase> table{
      {"relu, adam",
       [] {
         return with_adam({mlp<ReLU>(6, 16, 3), entropy, blobs(32, 6, 3)}, 1e-3);
       }},
      {"tanh, sgd",
       [] {
         return with_sgd({mlp<Tanh>(6, 16, 3), entropy, blobs(32, 6, 3)}, 0.1);
       }},
      {"gelu, adamw",
       [] {
         return with<optim::AdamW>(P{mlp<GELU>(6, 16, 3), entropy, blobs(32, 6, 3)}, optim::AdamWOptions{.lr = 3e-3});
       }},
      {"silu, rmsprop",
       [] {
         return with<optim::RMSprop>(P{mlp<SiLU>(6, 16, 3), entropy, blobs(32, 6, 3)},
                                     optim::RMSpropOptions{.lr = 1e-3});
       }},
      {"sigmoid units, adam",
       [] {
         return with_adam({mlp<Sigmoid>(6, 16, 3), entropy, blobs(32, 6, 3)}, 3e-3);
       }},
      {"momentum",
       [] {
         return with_sgd({mlp<ReLU>(6, 16, 3), entropy, blobs(32, 6, 3)}, 0.03, 0.9);
       }},
      {"no optimizer",
       [] {
         return P{mlp<LeakyReLU>(6, 16, 3), entropy, blobs(32, 6, 3)};
       }},
      {"seven layers",
       [] {
         return with_adam({Sequential(mlp<ReLU>(6, 16, 16), ReLU(), mlp<ReLU>(16, 16, 3)), entropy, blobs(32, 6, 3)},
                          1e-3);
       }},
      {"digits, adam",
       [] {
         return with_adam({Sequential(Linear(64, 64), ReLU(), Linear(64, 10)), entropy, some_digits(32)}, 1e-3);
       }},
      {"digits, dropout, sgd",
       [] {
         return with_sgd({Sequential(Linear(64, 32), ReLU(), Dropout(0.5), Linear(32, 10)), entropy, some_digits(64)},
                         0.1, 0.9);
       }},
      {"softmax regression",
       [] {
         return with_sgd({Sequential(Linear(64, 10)), entropy, some_digits(32)}, 0.1);
       }},
      {"convolutions",
       [] {
         return with_adam({conv_net(false), entropy, stripes(16, 4)}, 3e-3);
       }},
      {"convolutions, batch norm, sgd",
       [] {
         return with_sgd({conv_net(true), entropy, stripes(16, 4)}, 0.05);
       }},
      {"batch norm",
       [] {
         return with_adam({Sequential(Linear(6, 16), BatchNorm1d(16), ReLU(), Linear(16, 3)), entropy, blobs(32, 6, 3)},
                          1e-2);
       }},
      {"layer norm on raw inputs",
       [] {
         data::Dataset batch = blobs(32, 6, 3);
         return with_adam(
             {Sequential(LayerNorm(6), Linear(6, 16), Tanh(), Linear(16, 3)), entropy, {batch.x * 200.0, batch.y}},
             3e-3);
       }},
      {"residual",
       [] {
         return with_adam(
             {Sequential(Linear(6, 16), Residual(Sequential(LayerNorm(16), Linear(16, 16), GELU(), Linear(16, 16))),
                         Residual(Sequential(LayerNorm(16), Linear(16, 16), GELU(), Linear(16, 16))), Linear(16, 3)),
              entropy, blobs(32, 6, 3)},
             1e-3);
       }},
      {"lstm",
       [] {
         return with_adam(
             {Sequential(LSTM(4, 12, {.batch_first = true}), last_step, Linear(12, 3)), entropy, series(16, 10, 4, 3)},
             3e-3);
       }},
      {"gru",
       [] {
         return with_adam(
             {Sequential(GRU(4, 12, {.batch_first = true}), last_step, Linear(12, 3)), entropy, series(16, 10, 4, 3)},
             3e-3);
       }},
      {"rnn, sgd",
       [] {
         return with_sgd(
             {Sequential(RNN(4, 12, {.batch_first = true}), last_step, Linear(12, 3)), entropy, series(16, 8, 4, 3)},
             0.1);
       }},
      {"language", [] { return with_adam(language(), 3e-3); }},
      {"transformer block",
       [] {
         return with_adam(
             {Sequential(Linear(4, 16), TransformerEncoderLayer(16, 2, {.dim_feedforward = 32, .batch_first = true}),
                         last_step, Linear(16, 3)),
              entropy, series(16, 6, 4, 3)},
             1e-3);
       }},
      {"embeddings",
       [] {
         const Tensor words = randint(20, {24, 5});
         return with_adam({Sequential(
                               Embedding(20, 8), [](const Tensor& x) { return x.mean({1}); }, Linear(8, 2)),
                           entropy,
                           {words, remainder(words.select(1, 0), 2)}},
                          1e-2);
       }},
      {"regression",
       [] {
         return with_adam({mlp<Tanh>(3, 24, 1), MSELoss(), waves(32, 3)}, 3e-3);
       }},
      {"regression, sgd",
       [] {
         return with_sgd({mlp<ReLU>(3, 24, 1), MSELoss(), waves(32, 3)}, 0.02);
       }},
      {"huber",
       [] {
         return with_adam({mlp<ReLU>(3, 24, 1), HuberLoss(), waves(32, 3)}, 1e-3);
       }},
      {"linear regression",
       [] {
         const Tensor x = randn({32, 4});
         return with_sgd({Sequential(Linear(4, 1)), MSELoss(), {x, matmul(x, randn({4, 1})) + 0.5}}, 0.1);
       }},
      {"a column against a vector, squeezed",
       [] {
         const data::Dataset batch = waves(32, 3);
         return with_adam({mlp<Tanh>(3, 24, 1),
                           [](const Tensor& o, const Tensor& t) { return mse_loss(o.squeeze(1), t); },
                           {batch.x, batch.y.squeeze(1)}},
                          1e-3);
       }},
      {"logistic regression",
       [] {
         return with_sgd({Sequential(Linear(6, 1)), BCEWithLogitsLoss(), coins(32, 6)}, 0.1);
       }},
      {"sigmoid and binary entropy",
       [] {
         return with_adam({Sequential(Linear(6, 16), ReLU(), Linear(16, 1), Sigmoid()), BCELoss(), coins(32, 6)}, 3e-3);
       }},
      {"log softmax and likelihood",
       [] {
         return with_adam({Sequential(Linear(6, 16), ReLU(), Linear(16, 3), LogSoftmax(1)), NLLLoss(), blobs(32, 6, 3)},
                          3e-3);
       }},
      {"label smoothing",
       [] {
         return with_adam({mlp<ReLU>(6, 16, 3), CrossEntropyLoss({.label_smoothing = 0.1}), blobs(32, 6, 3)}, 1e-3);
       }},
      {"autoencoder",
       [] {
         const Tensor x = rand({16, 8});
         return with_adam({Sequential(Linear(8, 16), ReLU(), Linear(16, 8), Sigmoid()), MSELoss(), {x, x}}, 3e-3);
       }},
      {"a third against two thirds",
       [] {
         const data::Dataset batch = blobs(33, 6, 3);
         return with_adam({mlp<ReLU>(6, 16, 2), entropy, {batch.x, batch.y.clamp(0, 1)}}, 1e-3);
       }},
      {"last layer starts at 0", [] { return with_adam(zero_head(), 1e-3); }},
      {"frozen first layer", [] { return frozen_backbone(); }},
      {"trained",
       [] {
         return trained(with_adam({mlp<ReLU>(6, 16, 3), entropy, blobs(32, 6, 3)}, 3e-3), 100);
       }},
      {"trained, sgd",
       [] {
         return trained(with_sgd({mlp<Tanh>(3, 24, 1), MSELoss(), waves(32, 3)}, 0.05), 200);
       }},
      {"l-bfgs",
       [] {
         return with<optim::LBFGS>(
             P{mlp<Tanh>(3, 24, 1), MSELoss(), waves(32, 3)},
             optim::LBFGSOptions{.max_iter = 5, .line_search_fn = optim::LineSearch::strong_wolfe});
       }},
  };
  return table;
}

}  // namespace gradus::tests
