// A user's whole program: fits y = 2x - 1 with the library as the package or the subproject delivers it.
#include <gradus/gradus.hpp>

#include <cstdio>

using namespace gradus;

int main() {
  manual_seed(0);
  nn::Linear model(1, 1);
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  Tensor x = randn({64, 1});
  Tensor y = 2.0 * x - 1.0;
  double loss_value = 0;
  for (int step = 0; step < 200; ++step) {
    optimizer.zero_grad();
    Tensor loss = mse_loss(model(x), y);
    loss.backward();
    optimizer.step();
    loss_value = loss.item();
  }
  std::printf("loss %g\n", loss_value);
  return loss_value < 1e-6 ? 0 : 1;
}
