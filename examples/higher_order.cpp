// Gradients of gradients: Hessian-vector products explain step sizes (2 / largest eigenvalue).
#include <gradus/gradus.hpp>
#include <cmath>
using namespace gradus;

int main() {
  Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  Tensor f = sum(x * x * x);
  Tensor g = grad(f, {x}, {.create_graph = true})[0];
  Tensor h = grad(sum(g), {x})[0];  // 6x

  auto bowl = [](const Tensor& w) { return square(w[0]) + 4.0 * square(w[1]); };
  Tensor H = hessian(bowl, x);  // [[2, 0], [0, 8]]
  Tensor Hv = hvp(bowl, x, tensor({0.0, 1.0}, {.dtype = float64}));
  double sharpness = largest_hessian_eigenvalue(bowl, x);  // 8

  bool ok = std::abs(h[0].item() - 6) < 1e-12 && std::abs(H[1][1].item() - 8) < 1e-12 &&
            std::abs(Hv[1].item() - 8) < 1e-12 && std::abs(sharpness - 8) < 1e-6;
  return ok ? 0 : 1;
}
