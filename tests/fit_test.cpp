#include <doctest/doctest.h>

#include "gradus/data.hpp"
#include "gradus/nn.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/train.hpp"

using namespace gradus;

TEST_CASE("fit trains a network on the digits") {
  manual_seed(0);
  const auto [train_set, valid_set] = data::digits().split(0.8);
  nn::Sequential model(nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, 10));
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
  const train::History history =
      train::fit(model, nn::CrossEntropyLoss(), optimizer, train_set, valid_set, {.epochs = 3, .progress = false});
  CHECK(history.values("epoch") == std::vector<double>{1, 2, 3});
  CHECK(history.values("valid_loss").back() < 0.3);
}
