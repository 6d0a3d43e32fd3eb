// Gradient checking: a report, not only a bool; it names the op that is wrong and says what the mistake looks like.
#include <gradus/gradus.hpp>
#include <cstdio>
using namespace gradus;

// An op of one's own whose derivative is wrong: d/dx x^3 is 3x^2, not 2x^2.
Tensor bad_cube(const Tensor& x) {
  return custom_op("bad_cube", x * x * x, {{x, [x](const Tensor& g) { return g * (2.0 * x * x); }}});
}

int main() {
  manual_seed(7);
  Tensor x = randn({3, 4}, {.dtype = float64, .requires_grad = true});
  Tensor w = randn({4, 2}, {.dtype = float64, .requires_grad = true});

  auto good = gradcheck([](const Tensor& x, const Tensor& w) { return softplus(matmul(tanh(x), w)); }, {x, w});
  auto bad = gradcheck([](const Tensor& x, const Tensor& w) { return matmul(sin(bad_cube(x)), w); }, {x, w});
  std::printf("%s\n%s\n", good.to_string().c_str(), bad.to_string().c_str());

  bool second_order = gradgradcheck([](const Tensor& x) { return sum(tanh(x) * x); }, {x}).passed();

  nn::Sequential model(nn::Linear(4, 5, {.dtype = float64}), nn::Tanh(), nn::Linear(5, 2, {.dtype = float64}));
  bool module_ok = gradcheck(model, x).passed();  // every parameter, and the input

  return good.passed() && !bad.passed() && bad.culprit() == "bad_cube" && second_order && module_ok ? 0 : 1;
}
