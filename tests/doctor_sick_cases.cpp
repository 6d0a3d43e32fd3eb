#include <limits>

#include "doctor_cases.hpp"

namespace gradus::tests {
namespace {

using namespace nn;
using P = DoctorPatient;
using enum train::Illness;

const train::LossFunction entropy = CrossEntropyLoss();

Sequential small(std::int64_t in = 6, std::int64_t out = 3) {
  return Sequential(Linear(in, 16), ReLU(), Linear(16, 16), ReLU(), Linear(16, out));
}

P classifier() { return {small(), entropy, blobs(32, 6, 3)}; }
P regressor() { return {Sequential(Linear(3, 16), Tanh(), Linear(16, 1)), MSELoss(), waves(32, 3)}; }

template <class Activation>
Sequential deep(int layers, double scale) {
  Sequential model;
  for (int i = 0; i < layers; ++i) {
    Linear layer(i == 0 ? 6 : 16, 16);
    change(layer, "weight", [&](Tensor& w) { w *= scale; });
    model.push_back(layer);
    model.push_back(Activation());
  }
  model.push_back(Linear(16, 3));
  return model;
}

// A classifier with one tensor changed.
P changed(const std::string& name, const std::function<void(Tensor&)>& how) {
  P patient = classifier();
  change(*patient.model, name, how);
  return patient;
}

P constant_weights(double value) {
  P patient = classifier();
  for (const auto& [name, p] : patient.model->named_parameters()) {
    change(*patient.model, name, [&](Tensor& t) { t.fill_(p.dim() > 1 ? value : 0); });
  }
  return patient;
}

P with_inputs(const std::function<Tensor(const Tensor&)>& how) {
  P patient = classifier();
  patient.batch.x = how(patient.batch.x);
  return patient;
}

struct HalfUsed : Module {
  Linear used{6, 3}, unused{6, 3};
  GRADUS_MODULE(used, unused)
  Tensor forward(const Tensor& x) override { return used(x); }
};

struct Functional : Module {
  Linear fc1{6, 16}, fc2{16, 3};
  GRADUS_MODULE(fc1, fc2)
  Tensor forward(const Tensor& x) override { return fc2(relu(fc1(x))); }
};

P recurrent(double scale, std::int64_t steps) {
  RNN rnn(4, 12, {.nonlinearity = "relu", .batch_first = true});
  change(rnn, "weight_hh_l0", [&](Tensor& w) { w.copy_(eye(12) * scale); });
  return {Sequential(rnn, last_step, Linear(12, 3)), entropy, series(16, steps, 4, 3)};
}

P lstm_with_open_gates() {
  LSTM lstm(4, 12, {.batch_first = true});
  change(lstm, "bias_ih_l0", [](Tensor& b) { b.fill_(20); });
  return {Sequential(lstm, last_step, Linear(12, 3)), entropy, series(16, 8, 4, 3)};
}

// y = w x: the Hessian is 2 x^T x / n, and so is the largest stable rate known.
P line() {
  const Tensor x = randn({32, 4});
  return {Sequential(Linear(4, 1)), MSELoss(), {x, matmul(x, randn({4, 1}))}};
}

double sharpness_of(const Tensor& x) {
  const Tensor with_bias = cat({x, ones({x.size(0), 1})}, 1).to(float64);
  const Tensor hessian = matmul(with_bias.t(), with_bias) * (2.0 / static_cast<double>(x.size(0)));
  return linalg::eigvalsh(hessian)[-1].item();
}

P line_with_rate(double share, double momentum) {
  P patient = line();
  const double sharpness = sharpness_of(patient.batch.x);
  return with_sgd(std::move(patient), share * 2 * (1 + momentum) / sharpness, momentum);
}

P forgotten_head() {
  P patient = classifier();
  prescribe<optim::Adam>(patient, {.params = static_cast<Sequential&>(*patient.model)[0].parameters()});
  return patient;
}

std::vector<DoctorCase> of_data() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"NaN in the inputs",
       [=] {
         return with_inputs([=](const Tensor& x) {
           Tensor y = x.clone();
           y[3][2].fill_(nan);
           return y;
         });
       },
       nonfinite, "input"},
      {"infinite target",
       [] {
         P p = regressor();
         p.batch.y[5].fill_(1.0 / 0.0);
         return p;
       },
       nonfinite, "target"},
      {"pixels to 255", [] { return with_inputs([](const Tensor& x) { return (x + 4.0).abs() * 30.0; }); },
       unscaled_inputs, "0"},
      {"a year among the features",
       [] { return with_inputs([](const Tensor& x) {
              return x + tensor({0, 0, 2020, 0, 0, 0}).to(float32);
            }); },
       unscaled_inputs, "0"},
      {"tiny inputs", [] { return with_inputs([](const Tensor& x) { return x * 1e-4; }); }, unscaled_inputs, "0"},
      {"an offset far beyond the scale", [] { return with_inputs([](const Tensor& x) { return x * 0.01 + 5.0; }); },
       unscaled_inputs, "0"},
      {"prices as targets",
       [] {
         P p = regressor();
         p.batch.y = p.batch.y * 3e4 + 2e5;
         return p;
       },
       unscaled_targets, "target"},
      {"one in thirty-two",
       [] {
         P p = classifier();
         p.batch.y = p.batch.y * 0;
         p.batch.y[7].fill_(1);
         return p;
       },
       class_imbalance, "target"},
      {"sorted by class",
       [] {
         P p{small(6, 1), BCEWithLogitsLoss(), coins(32, 6)};
         p.batch.y = zeros({32, 1});
         return p;
       },
       class_imbalance, "target"},
      {"the same inputs, other labels",
       [] { return with_inputs([](const Tensor& x) {
              return x.narrow(0, 0, 4).repeat({8, 1});
            }); },
       conflicting_targets, "target"},
  };
}

std::vector<DoctorCase> of_models() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"NaN in a weight", [=] { return changed("2.weight", [=](Tensor& w) { w[1][2].fill_(nan); }); }, nonfinite,
       "2.weight"},
      {"a logarithm of what may be negative",
       [] {
         return P{Sequential(
                      Linear(6, 16), [](const Tensor& x) { return log(x); }, Linear(16, 3)),
                  entropy, blobs(32, 6, 3)};
       },
       nonfinite, "1"},
      {"a detached layer",
       [] {
         return P{Sequential(
                      Linear(6, 16), [](const Tensor& x) { return relu(x.detach()); }, Linear(16, 3)),
                  entropy, blobs(32, 6, 3)};
       },
       no_gradient, "0.weight"},
      {"a detached output",
       [] {
         return P{Sequential(small(), [](const Tensor& x) { return x.detach(); }), entropy, blobs(32, 6, 3)};
       },
       no_gradient, ""},
      {"a layer that is not used",
       [] {
         return P{HalfUsed(), entropy, blobs(32, 6, 3)};
       },
       no_gradient, "unused.weight"},
      {"everything frozen",
       [] {
         P p = classifier();
         p.model->requires_grad_(false);
         return p;
       },
       untrained, ""},
      {"a head that the optimizer doesn't know", [] { return forgotten_head(); }, untrained, "2.weight"},
      {"ten layers of sigmoids",
       [] {
         return P{deep<Sigmoid>(10, 1), entropy, blobs(32, 6, 3)};
       },
       vanishing, "0.weight"},
      {"a layer that is far too large", [] { return changed("2.weight", [](Tensor& w) { w *= 3e4; }); }, growing_signal,
       "2"},
      {"gradients that explode",
       [] {
         return P{deep<ReLU>(6, 20), entropy, blobs(32, 6, 3)};
       },
       exploding, ""},
      {"a layer that is far too small",
       [] {
         P p{deep<Tanh>(3, 1), entropy, blobs(32, 6, 3)};
         change(*p.model, "4.weight", [](Tensor& w) { w *= 1e-4; });
         return p;
       },
       shrinking_signal, "4"},
      {"biases that kill", [] { return changed("2.bias", [](Tensor& b) { b.fill_(-10); }); }, dead_relu, "3"},
      {"biases that kill, without a module",
       [] {
         P p{Functional(), entropy, blobs(32, 6, 3)};
         change(*p.model, "fc1.bias", [](Tensor& b) { b.fill_(-30); });
         return p;
       },
       dead_relu, "fc1"},
      {"dead channels",
       [] {
         Conv2d conv(1, 6, 3, {.padding = 1});
         change(conv, "bias", [](Tensor& b) { b.fill_(-20); });
         return P{Sequential(conv, ReLU(), Flatten(), Linear(384, 4)), entropy, stripes(16, 4)};
       },
       dead_relu, "1"},
      {"saturated tanh",
       [] {
         return P{deep<Tanh>(3, 40), entropy, blobs(32, 6, 3)};
       },
       saturated, "1"},
      {"saturated sigmoids",
       [] {
         return P{deep<Sigmoid>(3, 60), entropy, blobs(32, 6, 3)};
       },
       saturated, "1"},
      {"open gates", [] { return lstm_with_open_gates(); }, saturated, "0"},
      {"weights of 0", [] { return constant_weights(0); }, zero_weights, "0.weight"},
      {"equal weights", [] { return constant_weights(0.1); }, symmetric_units, "0.weight"},
      {"a sequence whose gradient vanishes", [] { return recurrent(0.3, 40); }, vanishing, "0"},
      {"a sequence whose gradient explodes", [] { return recurrent(2.5, 40); }, exploding, "0"},
  };
}

std::vector<DoctorCase> of_losses() {
  return {
      {"(n, 1) against (n)",
       [] {
         P p = regressor();
         p.batch.y = p.batch.y.squeeze(1);
         return p;
       },
       broadcast_loss, "output"},
      {"softmax before cross-entropy",
       [] {
         P p = classifier();
         static_cast<Sequential&>(*p.model).push_back(Softmax(1));
         return p;
       },
       double_softmax, "output"},
      {"sigmoid before its loss",
       [] {
         return P{Sequential(small(6, 1), Sigmoid()), BCEWithLogitsLoss(), coins(32, 6)};
       },
       double_softmax, "output"},
      {"logits as log-probabilities",
       [] {
         return P{small(), NLLLoss(), blobs(32, 6, 3)};
       },
       missing_log_softmax, "output"},
      {"relu before negative targets",
       [] {
         P p = regressor();
         static_cast<Sequential&>(*p.model).push_back(ReLU());
         return p;
       },
       out_of_reach, "output"},
      {"tanh before large targets",
       [] {
         P p = regressor();
         static_cast<Sequential&>(*p.model).push_back(Tanh());
         p.batch.y = p.batch.y * 5.0;
         return p;
       },
       out_of_reach, "output"},
      {"a confident start", [] { return changed("4.weight", [](Tensor& w) { w *= 300; }); }, high_first_loss, "output"},
      {"input times 0",
       [] {
         return P{Sequential([](const Tensor& x) { return x * 0.0; }, small()), entropy, blobs(32, 6, 3)};
       },
       constant_output, "output"},
      {"a mean over the batch",
       [] {
         return P{Sequential([](const Tensor& x) { return x.mean({0}, {.keepdim = true}).expand_as(x); }, small()),
                  entropy, blobs(32, 6, 3)};
       },
       constant_output, "output"},
      {"inputs rounded to a sign",
       [] {
         P p = classifier();
         p.model = Sequential([](const Tensor& x) { return x.narrow(1, 0, 1).gt(0).to(float32); }, small(1, 3));
         p.batch = {randn({32, 6}), randint(3, {32})};
         return p;
       },
       cannot_overfit, ""},
      {"one and a half times the stable rate", [] { return line_with_rate(1.5, 0); }, learning_rate_high, ""},
      {"the same with momentum", [] { return line_with_rate(1.5, 0.9); }, learning_rate_high, ""},
      {"sgd, far too fast", [] { return with_sgd(classifier(), 30); }, learning_rate_high, ""},
      {"adam, far too fast", [] { return with_adam(classifier(), 1); }, learning_rate_high, ""},
      {"sgd, far too slow", [] { return with_sgd(classifier(), 1e-6); }, learning_rate_low, ""},
      {"adam, far too slow", [] { return with_adam(classifier(), 1e-7); }, learning_rate_low, ""},
      {"a line, far too slow", [] { return line_with_rate(1e-4, 0); }, learning_rate_low, ""},
  };
}

}  // namespace

const std::vector<DoctorCase>& sick_cases() {
  static const std::vector<DoctorCase> table = [] {
    std::vector<DoctorCase> all;
    for (const auto& part : {of_data(), of_models(), of_losses()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return table;
}

}  // namespace gradus::tests
