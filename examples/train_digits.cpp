// The training loop on real data: zero_grad, forward, loss, backward, step.
#include <gradus/gradus.hpp>
#include <cstdio>
using namespace gradus;

int main() {
  manual_seed(42);
  auto [train, test] = data::digits().split(0.8);  // 1797 handwritten digits, 8x8, embedded

  nn::Sequential model(nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10));
  optim::Adam optimizer(model.parameters(), {.lr = 3e-3});
  data::DataLoader loader(train, {.batch_size = 32, .shuffle = true});

  for (int epoch = 0; epoch < 20; ++epoch) {
    double total = 0;
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      Tensor loss = cross_entropy(model(x), y);
      loss.backward();
      optimizer.step();
      total += loss.item() * x.size(0);
    }
    std::printf("epoch %d: loss %.4f\n", epoch, total / train.size());
  }

  NoGrad guard;
  model.eval();
  double accuracy = eq(argmax(model(test.x), 1), test.y).to(float64).mean().item();
  std::printf("test accuracy %.4f\n", accuracy);
  return accuracy > 0.95 ? 0 : 1;
}
