// The pool: a training step asks the system for nothing once it is warm, and everything that is taken comes back.
#include <doctest/doctest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/data.hpp>
#include <gradus/factory.hpp>
#include <gradus/memory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/optim.hpp>
#include <gradus/random.hpp>
#include <gradus/threads.hpp>

#include "allocation_counter.hpp"

using namespace gradus;

namespace {

constexpr int warm_up_epochs = 3;

struct Counted {
  std::int64_t mallocs = 0;
  std::int64_t blocks = 0;  // that the pool asked the system for
};

// What `epochs` calls of `epoch` allocate after a warm-up.
template <class Epoch>
Counted after_warm_up(int epochs, const Epoch& epoch) {
  for (int i = 0; i < warm_up_epochs; ++i) epoch();
  const std::int64_t mallocs = test::allocations(), blocks = memory_stats().system_allocations;
  for (int i = 0; i < epochs; ++i) epoch();
  return {test::allocations() - mallocs, memory_stats().system_allocations - blocks};
}

}  // namespace

TEST_CASE("the counter sees operator new and malloc") {
  if (!test::counts_allocations) return;
  const std::int64_t before = test::allocations();
  const std::vector<int> list(1000);
  CHECK(test::allocations() > before);
  CHECK(list.size() == 1000);
}

TEST_CASE("a warm training epoch of an MLP with cross-entropy, Adam and a shuffling loader calls malloc not once") {
  manual_seed(1);
  nn::Sequential model(nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, 10));
  optim::Adam optimizer(model.parameters(), {.lr = 1e-3});
  const data::Dataset digits = data::digits();
  data::DataLoader loader({digits.x.narrow(0, 0, 320), digits.y.narrow(0, 0, 320)},
                          {.batch_size = 32, .shuffle = true});
  double total = 0;
  const Counted counted = after_warm_up(3, [&] {
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      Tensor loss = cross_entropy(model(x), y);
      loss.backward();
      optimizer.step();
      total += loss.item();
    }
  });
  CHECK(total > 0);
  CHECK(counted.mallocs == 0);
  CHECK(counted.blocks == 0);
}

TEST_CASE("a warm training step with momentum and mse calls malloc not once") {
  manual_seed(2);
  nn::Sequential model(nn::Linear(8, 16), nn::Tanh(), nn::Linear(16, 1));
  optim::SGD optimizer(model.parameters(), {.lr = 1e-2, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true});
  const Tensor x = randn({64, 8}), y = randn({64, 1});
  const Counted counted = after_warm_up(20, [&] {
    optimizer.zero_grad();
    Tensor loss = mse_loss(model(x), y);
    loss.backward();
    optimizer.step();
  });
  CHECK(counted.mallocs == 0);
  CHECK(counted.blocks == 0);
}

TEST_CASE("a warm training step of convolutions, norms, pooling and dropout calls malloc not once") {
  manual_seed(5);
  nn::Sequential model(nn::Conv2d(1, 4, 3, {.padding = 1}), nn::BatchNorm2d(4), nn::ReLU(), nn::MaxPool2d(2),
                       nn::Conv2d(4, 8, 3), nn::GroupNorm(2, 8), nn::AvgPool2d(2), nn::Flatten(), nn::Dropout(0.2),
                       nn::LayerNorm({8}), nn::Linear(8, 3));
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-3});
  const Tensor x = randn({16, 1, 8, 8}), y = zeros({16}, {.dtype = int64});
  const Counted counted = after_warm_up(20, [&] {
    optimizer.zero_grad();
    Tensor loss = cross_entropy(model(x), y);
    loss.backward();
    optimizer.step();
  });
  CHECK(counted.mallocs == 0);
  CHECK(counted.blocks == 0);
}

TEST_CASE("warm ops on views, broadcasts and reductions call malloc not once, nor does create_graph") {
  manual_seed(3);
  Tensor x = randn({40, 30}, {.requires_grad = true}), w = randn({30, 20}, {.requires_grad = true});
  const Tensor column = rand({40, 1});
  const Counted counted = after_warm_up(10, [&] {
    x.zero_grad();
    w.zero_grad();
    Tensor h = gelu(matmul(x * column, w).slice(1, 2, 18).transpose(0, 1));
    Tensor y =
        mean(square(softmax(h, 0) - max(h, 1, {.keepdim = true}).values), {0, 1}) + norm(w) + logsumexp(h, {0, 1});
    y.backward({.create_graph = true});
  });
  // A gradient with a history leads back to its leaf: a cycle, as in PyTorch, which the user cuts.
  x.zero_grad();
  w.zero_grad();
  CHECK(counted.mallocs == 0);
  CHECK(counted.blocks == 0);
}

TEST_CASE("a warm step on several threads calls malloc not once") {
  manual_seed(4);
  const int before = get_num_threads();
  set_num_threads(2);
  Tensor x = randn({300, 400}, {.requires_grad = true});
  const Counted counted = after_warm_up(5, [&] {
    x.zero_grad();
    sum(tanh(x) * x).backward();
  });
  set_num_threads(before);
  CHECK(counted.mallocs == 0);
  CHECK(counted.blocks == 0);
}

TEST_CASE("memory in use returns to what it was") {
  const std::int64_t before = memory_stats().in_use;
  {
    Tensor x = randn({100, 100}, {.requires_grad = true});
    CHECK(memory_stats().in_use >= before + 40000);
    sum(exp(x) * x).backward();
  }
  CHECK(memory_stats().in_use == before);
}

TEST_CASE("the peak is kept until it is reset") {
  reset_peak_memory_stats();
  const std::int64_t before = memory_stats().in_use;
  { const Tensor big = empty({1 << 20}); }
  CHECK(memory_stats().peak >= before + (4 << 20));
  CHECK(memory_stats().in_use == before);
  reset_peak_memory_stats();
  CHECK(memory_stats().peak < before + (4 << 20));
}

TEST_CASE("freed blocks are pooled and handed out again until released") {
  { const Tensor first = empty({200'000}); }
  const MemoryStats pooled = memory_stats();
  CHECK(pooled.pooled >= 800'000);
  { const Tensor again = empty({200'000}); }
  CHECK(memory_stats().system_allocations == pooled.system_allocations);
  release_cached_memory();
  CHECK(memory_stats().pooled == 0);
  CHECK(memory_stats().in_use == pooled.in_use);
  { const Tensor fresh = empty({200'000}); }
  CHECK(memory_stats().system_allocations > pooled.system_allocations);
}

TEST_CASE("the pool keeps no more than its limit") {
  constexpr std::int64_t megabyte = 1 << 20;
  release_cached_memory();
  set_pooled_memory_limit(megabyte);
  {
    std::vector<Tensor> many;
    for (int i = 0; i < 16; ++i) many.push_back(empty({50'000}));
  }
  // Blocks of at most 1 KiB that a thread has cached come on top; there are few of those here.
  CHECK(memory_stats().pooled <= megabyte + 256 * 1024);
  set_pooled_memory_limit(0);
  { const Tensor x = empty({50'000}); }
  CHECK(memory_stats().pooled <= 256 * 1024);
  set_pooled_memory_limit(std::int64_t{1} << 30);
  CHECK_THROWS_AS(set_pooled_memory_limit(-1), Error);
}

TEST_CASE("memory is aligned to 64 bytes") {
  std::vector<Tensor> kept;
  for (std::int64_t size : {1, 3, 17, 64, 100, 1000, 1025, 5000, 100'000, 300'001}) {
    kept.push_back(empty({size}));
    CHECK(reinterpret_cast<std::uintptr_t>(kept.back().data<float>().data()) % 64 == 0);
    kept.push_back(empty({size}, {.dtype = boolean}));
    CHECK(reinterpret_cast<std::uintptr_t>(kept.back().data<bool>().data()) % 64 == 0);
  }
}

TEST_CASE("a size that no machine has is an Error, and the pool survives it") {
  CHECK_THROWS_AS(empty({std::int64_t{1} << 50}), Error);
  CHECK_THROWS_AS(empty({std::int64_t{1} << 62}), Error);
  CHECK(zeros({10}).sum().item() == 0);
}

TEST_CASE("blocks of every size come back unharmed") {
  const std::int64_t before = memory_stats().in_use;
  for (int round = 0; round < 3; ++round) {
    std::vector<Tensor> kept;
    for (std::int64_t size = 1; size < 3000; size = size * 5 / 4 + 1)
      kept.push_back(full({size}, static_cast<double>(size)));
    for (const Tensor& t : kept)
      CHECK(t.sum().item() == static_cast<double>(t.numel()) * static_cast<double>(t.numel()));
  }
  CHECK(memory_stats().in_use == before);
}

TEST_CASE("tensors freed on a thread that never made one are not lost") {
  const std::int64_t before = memory_stats().in_use;
  for (int round = 0; round < 4; ++round) {
    std::vector<Tensor> small;
    for (int i = 0; i < 20; ++i) small.push_back(ones({8}));
    std::thread([&small] { small.clear(); }).join();
  }
  CHECK(memory_stats().in_use == before);
  const std::int64_t blocks = memory_stats().system_allocations;
  for (int round = 0; round < 20; ++round) {
    std::vector<Tensor> small;
    for (int i = 0; i < 20; ++i) small.push_back(ones({8}));
    std::thread([&small] { small.clear(); }).join();
  }
  CHECK(memory_stats().system_allocations <= blocks + 40);  // the dead threads' blocks are used again
}

TEST_CASE("threads hammering the pool corrupt nothing") {
  const std::int64_t before = memory_stats().in_use;
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&wrong, t] {
      std::vector<Tensor> kept(32);
      Generator random(t);
      for (int i = 0; i < 4000; ++i) {
        const auto slot = static_cast<std::size_t>(random.below(kept.size()));
        if (kept[slot].defined()) {
          const auto data = kept[slot].data<double>();
          for (double v : data) wrong[t] += v == static_cast<double>(data.size() * 10 + t) ? 0 : 1;
        }
        const auto size = static_cast<std::int64_t>(1 + random.below(400));
        kept[slot] = full({size}, static_cast<double>(size * 10) + static_cast<double>(t), {.dtype = float64});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
  CHECK(memory_stats().in_use == before);
}
