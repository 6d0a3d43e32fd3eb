#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// Inputs from `i` on that may be left out at the end of the list.
Tensor given(const Tensors& x, std::size_t i) { return i < x.size() ? x[i] : Tensor(); }

Tensor copy_of(const Tensor& x) { return x.defined() ? x.detach().clone() : x; }

Input weight(const Shape& shape) { return optional_input(normal(shape)); }
Input running(Input input) { return constant(std::move(input)); }

Tensor call_layer_norm(const Tensors& x, const Args& a) {
  return layer_norm(x[0], a.shape("shape"), {.weight = given(x, 1), .bias = given(x, 2), .eps = a.number("eps", 1e-5)});
}

Tensor call_rms_norm(const Tensors& x, const Args& a) {
  return rms_norm(x[0], a.shape("shape"), {.weight = given(x, 1), .eps = a.maybe_number("eps")});
}

// (x, weight, bias) in training; (x, running_mean, running_var, weight, bias) else. Running statistics that training
// updates are copies: an op's inputs stay as they are.
Tensor call_batch_norm(const Tensors& x, const Args& a) {
  const double eps = a.number("eps", 1e-5);
  if (a.integer("training", 0) != 0) {
    return batch_norm(x[0], {}, {}, {.weight = given(x, 1), .bias = given(x, 2), .training = true, .eps = eps});
  }
  return batch_norm(x[0], x[1], x[2], {.weight = given(x, 3), .bias = given(x, 4), .eps = eps});
}

// The running mean and variance after a step in training from (x, running_mean, running_var).
Tensor updated_by_batch_norm(const Tensors& x, const Args& a) {
  const Tensor mean = copy_of(x[1]), var = copy_of(x[2]);
  batch_norm(x[0], mean, var, {.training = true, .momentum = a.number("momentum", 0.1)});
  return stack({mean, var});
}

Tensor call_group_norm(const Tensors& x, const Args& a) {
  return group_norm(x[0], a.integer("groups"),
                    {.weight = given(x, 1), .bias = given(x, 2), .eps = a.number("eps", 1e-5)});
}

Tensor call_instance_norm(const Tensors& x, const Args& a) {
  if (a.integer("use_input_stats", 1) != 0) {
    return instance_norm(x[0], {}, {}, {.weight = given(x, 1), .bias = given(x, 2), .eps = a.number("eps", 1e-5)});
  }
  return instance_norm(x[0], x[1], x[2], {.weight = given(x, 3), .bias = given(x, 4), .use_input_stats = false});
}

Tensor updated_by_instance_norm(const Tensors& x, const Args& a) {
  const Tensor mean = copy_of(x[1]), var = copy_of(x[2]);
  instance_norm(x[0], mean, var, {.momentum = a.number("momentum", 0.1)});
  return stack({mean, var});
}

std::vector<BadCall> wrong_weights(const std::string& op, const std::function<void(const Tensor&, const Tensor&)>& f) {
  return {{[f] { f(zeros({2}), {}); }, op + ": the weight must be (4,), got (2,)"},
          {[f] {
             f({}, zeros({4, 1}));
           },
           op + ": the bias must be (4,), got (4, 1)"},
          {[f] { f({}, zeros({4}, {.dtype = float64})); },
           op + ": dtypes differ: float32 and float64; convert one with to()"}};
}

std::vector<BadCall> joined(std::vector<BadCall> calls, const std::vector<BadCall>& more) {
  calls.insert(calls.end(), more.begin(), more.end());
  return calls;
}

}  // namespace

std::vector<Row> normalisation_rows() {
  return {
      {.name = "layer_norm",
       .call = call_layer_norm,
       .cases = {{{normal({3, 4}), weight({4}), weight({4})}, {{"shape", {4}}}},
                 {{normal({3, 4})}, {{"shape", {4}}}},
                 {{normal({2, 3, 4}), weight({3, 4}), weight({3, 4})}, {{"shape", {3, 4}}, {"eps", {0.1}}}},
                 {{normal({34, 3}), weight({3}), weight({3})}, {{"shape", {3}}}},
                 {{normal({2, 19}), weight({19})}, {{"shape", {19}}}},
                 {{normal({5}), weight({5}), weight({5})}, {{"shape", {5}}}},
                 {{normal({2, 1}), weight({1}), weight({1})}, {{"shape", {1}}, {"eps", {0.5}}}},
                 {{normal({0, 4}), weight({4}), weight({4})}, {{"shape", {4}}}}},
       .bad_calls = joined({{[] {
                               layer_norm(zeros({2, 3}), {2});
                             },
                             "layer_norm: the input must end in the normalized shape: (2, 3) and (2,)"},
                            {[] {
                               layer_norm(zeros({2, 3}), {});
                             },
                             "layer_norm: the normalized shape needs a dim"},
                            {[] {
                               layer_norm(tensor({1, 2}), {2});
                             },
                             "layer_norm: a floating dtype is needed, got int64"}},
                           wrong_weights("layer_norm",
                                         [](const Tensor& w, const Tensor& b) {
                                           layer_norm(zeros({2, 4}), {4}, {.weight = w, .bias = b});
                                         }))},
      {.name = "rms_norm",
       .call = call_rms_norm,
       .cases = {{{normal({3, 4}), weight({4})}, {{"shape", {4}}}},
                 {{normal({3, 4})}, {{"shape", {4}}}},
                 {{normal({2, 3, 4}), weight({3, 4})}, {{"shape", {3, 4}}, {"eps", {0.1}}}},
                 {{normal({2, 19}), weight({19})}, {{"shape", {19}}, {"eps", {1e-3}}}},
                 {{normal({0, 4}), weight({4})}, {{"shape", {4}}}}},
       .bad_calls = {{[] {
                        rms_norm(zeros({2, 3}), {2, 4});
                      },
                      "rms_norm: the input must end in the normalized shape: (2, 3) and (2, 4)"},
                     {[] {
                        rms_norm(zeros({2, 3}), {3}, {.weight = zeros({2})});
                      },
                      "rms_norm: the weight must be (3,), got (2,)"}}},
      {.name = "batch_norm",
       .call = call_batch_norm,
       .cases = {{{normal({4, 3}), weight({3}), weight({3})}, {{"training", {1}}}},
                 {{normal({4, 3})}, {{"training", {1}}}},
                 {{normal({3, 19}), weight({19})}, {{"training", {1}}}},
                 {{normal({2, 3, 4}), weight({3}), weight({3})}, {{"training", {1}}, {"eps", {0.1}}}},
                 {{normal({2, 3, 2, 3}), weight({3})}, {{"training", {1}}}},
                 {{normal({1, 2, 19}), weight({2}), weight({2})}, {{"training", {1}}}},
                 {{normal({4, 3}), running(normal({3})), running(positive({3})), weight({3}), weight({3})}},
                 {{normal({2, 3, 4}), running(normal({3})), running(positive({3})), weight({3}), weight({3})},
                  {{"eps", {0.1}}}},
                 {{normal({2, 3, 2, 2}), running(normal({3})), running(positive({3}))}},
                 {{normal({1, 3}), running(normal({3})), running(positive({3})), weight({3}), weight({3})}},
                 {{normal({0, 3}), weight({3}), weight({3})}, {{"training", {1}}}}},
       .bad_calls =
           joined({{[] {
                      batch_norm(zeros({1, 3}), {}, {}, {.training = true});
                    },
                    "batch_norm: training needs more than one value per channel, got (1, 3)"},
                   {[] {
                      batch_norm(zeros({2, 3}), {}, {});
                    },
                    "batch_norm: without training it needs running_mean and running_var"},
                   {[] { batch_norm(zeros({3}), {}, {}, {.training = true}); },
                    "batch_norm: the input must be (batch, channels, ...), got (3,)"},
                   {[] {
                      batch_norm(zeros({2, 3}), zeros({2}), ones({3}));
                    },
                    "batch_norm: the running_mean must be (3,), got (2,)"}},
                  wrong_weights("batch_norm",
                                [](const Tensor& w, const Tensor& b) {
                                  batch_norm(zeros({2, 4}), {}, {}, {.weight = w, .bias = b, .training = true});
                                }))},
      {.name = "batch_norm.running",
       .call = updated_by_batch_norm,
       .cases = {{{constant(normal({4, 3})), running(normal({3})), running(positive({3}))}},
                 {{constant(normal({2, 3, 4})), running(normal({3})), running(positive({3}))}, {{"momentum", {0.5}}}},
                 {{constant(normal({0, 3})), running(normal({3})), running(positive({3}))}}},
       .bad_calls = {{[] {
                        batch_norm(zeros({2, 3}), zeros({3}), ones({4}), {.training = true});
                      },
                      "batch_norm: the running_var must be (3,), got (4,)"}},
       .differentiable = false},
      {.name = "group_norm",
       .call = call_group_norm,
       .cases = {{{normal({2, 4, 3}), weight({4}), weight({4})}, {{"groups", {2}}}},
                 {{normal({2, 4, 3})}, {{"groups", {1}}}},
                 {{normal({3, 4}), weight({4}), weight({4})}, {{"groups", {2}}, {"eps", {0.25}}}},
                 {{normal({2, 6, 2, 2}), weight({6})}, {{"groups", {3}}, {"eps", {0.1}}}},
                 {{normal({2, 2, 19}), weight({2}), weight({2})}, {{"groups", {2}}}},
                 {{normal({0, 4, 3}), weight({4}), weight({4})}, {{"groups", {2}}}}},
       .bad_calls = joined(
           {{[] {
               group_norm(zeros({2, 4}), 3);
             },
             "group_norm: 4 channels cannot be split into 3 groups"},
            {[] {
               group_norm(zeros({2, 4}), 0);
             },
             "group_norm: 4 channels cannot be split into 0 groups"},
            {[] {
               group_norm(zeros({1, 4}), 4);
             },
             "group_norm: more than one value per channel is needed, got (1, 4)"},
            {[] { group_norm(zeros({4}), 2); }, "group_norm: the input must be (batch, channels, ...), got (4,)"}},
           wrong_weights("group_norm",
                         [](const Tensor& w, const Tensor& b) {
                           group_norm(zeros({2, 4}), 2, {.weight = w, .bias = b});
                         }))},
      {.name = "instance_norm",
       .call = call_instance_norm,
       .cases = {{{normal({2, 3, 4}), weight({3}), weight({3})}},
                 {{normal({2, 3, 4})}, {{"eps", {0.1}}}},
                 {{normal({2, 2, 3, 2}), weight({2}), weight({2})}},
                 {{normal({2, 3, 4}), running(normal({3})), running(positive({3})), weight({3}), weight({3})},
                  {{"use_input_stats", {0}}}},
                 {{normal({0, 3, 4}), weight({3}), weight({3})}}},
       .bad_calls = joined({{[] {
                               instance_norm(zeros({2, 3}));
                             },
                             "instance_norm: more than one value per channel is needed, got (2, 3)"},
                            {[] {
                               instance_norm(zeros({2, 3, 4}), {}, {}, {.use_input_stats = false});
                             },
                             "instance_norm: without input statistics it needs running_mean and running_var"}},
                           wrong_weights("instance_norm",
                                         [](const Tensor& w, const Tensor& b) {
                                           instance_norm(zeros({2, 4, 2}), {}, {}, {.weight = w, .bias = b});
                                         }))},
      {.name = "instance_norm.running",
       .call = updated_by_instance_norm,
       .cases = {{{constant(normal({2, 3, 4})), running(normal({3})), running(positive({3}))}},
                 {{constant(normal({2, 3, 2, 2})), running(normal({3})), running(positive({3}))},
                  {{"momentum", {0.5}}}}},
       .bad_calls = {{[] {
                        instance_norm(zeros({2, 3, 4}), zeros({2}), ones({3}));
                      },
                      "instance_norm: the running_mean must be (3,), got (2,)"}},
       .differentiable = false},
  };
}

std::vector<Row> dropout_rows() {
  // The same mask at every call.
  const auto call = [](Tensor (*op)(const Tensor&, double, bool, Generator*)) {
    return [op](const Tensors& x, const Args& a) {
      Generator generator(7);
      return op(x[0], a.number("p", 0.5), a.integer("training", 1) != 0, &generator);
    };
  };
  return {
      {.name = "dropout",
       .call = call(dropout),
       .cases = {{{normal({4, 5})}},
                 {{normal({4, 5})}, {{"p", {0.25}}}},
                 {{normal({3})}, {{"p", {1}}}},
                 {{normal({})}},
                 {{normal({0, 2})}},
                 {{normal({4, 5})}, {{"training", {0}}}}},
       .bad_calls = {{[] { dropout(zeros({2}), 1.5); }, "dropout: p must be in [0, 1], got 1.5"},
                     {[] { dropout(zeros({2}), -0.5, false); }, "dropout: p must be in [0, 1], got -0.5"},
                     {[] {
                        dropout(tensor({1, 2}));
                      },
                      "dropout: a floating dtype is needed, got int64"}}},
      {.name = "dropout2d",
       .call = call(dropout2d),
       .cases = {{{normal({2, 3, 2, 2})}},
                 {{normal({4, 3, 2})}, {{"p", {0.25}}}},
                 {{normal({4, 3})}},
                 {{normal({2, 3, 2, 2})}, {{"training", {0}}}}},
       .bad_calls = {{[] { dropout2d(zeros({2}), 0.5); },
                      "dropout2d: the input must be (batch, channels, ...), got (2,)"},
                     {[] {
                        dropout2d(zeros({2, 2}), 2);
                      },
                      "dropout2d: p must be in [0, 1], got 2"}}},
      {.name = "embedding",
       .call = [](const Tensors& x,
                  const Args& a) { return embedding(x[0], x[1], {.padding_idx = a.maybe_integer("padding_idx")}); },
       .cases = {{{index({3}, 4), normal({4, 2})}},
                 // What padding takes away is no derivative of the value: that is left to PyTorch's cases.
                 {{index({2, 5}, 3), normal({4, 2})}, {{"padding_idx", {-1}}}},
                 {{index({}, 3), normal({3, 2})}},
                 {{index({0}, 3), normal({3, 2})}},
                 {{index({2}, 3), normal({3, 0})}}},
       .bad_calls = {{[] {
                        embedding(tensor({0, 4}), zeros({4, 2}));
                      },
                      "embedding: index 4 is outside a vocabulary of 4"},
                     {[] {
                        embedding(tensor({-1}), zeros({4, 2}));
                      },
                      "embedding: index -1 is outside a vocabulary of 4"},
                     {[] {
                        embedding(tensor({0}), zeros({4, 2}), {.padding_idx = 4});
                      },
                      "embedding: padding_idx 4 is outside a vocabulary of 4"},
                     {[] { embedding(tensor({0}), zeros({4})); },
                      "embedding: the weight must be (vocabulary, dim), got (4,)"},
                     {[] {
                        embedding(zeros({2}), zeros({4, 2}));
                      },
                      "embedding: the indices must be int64, got float32"}}},
  };
}

}  // namespace gradus::test
