// A GPT that learns to continue a text, character by character: pre-norm transformer layers in which no position sees a
// later one. Without arguments it learns a few proverbs in a second. For a book:
//   char_gpt --text moby-dick.txt --minutes 30
#include <gradus/gradus.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
using namespace gradus;

const char* const proverbs =
    "a stitch in time saves nine. the early bird catches the worm. a rolling stone gathers no moss. "
    "where there is a will there is a way. every cloud has a silver lining. the pen is mightier than the sword. "
    "when in rome do as the romans do. all that glitters is not gold. better late than never. "
    "a watched pot never boils. look before you leap. practice makes perfect. the proof is in the pudding. ";

struct Settings {
  std::string text, weights = "char_gpt.safetensors";
  double minutes = 0;  // if not 0, training ends by the clock, not after `steps`
  int64_t steps = 200, every = 50, batch = 8, block = 32, layers = 2, width = 32, heads = 2, sample = 80, seed = 1;
  double lr = 1e-2, weight_decay = 0.1, dropout = 0, temperature = 0.8;
};

Settings parse(int argc, char** argv) {
  Settings s;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--text") != 0) continue;
    s = {.text = argv[i + 1], .steps = 5000, .every = 500, .batch = 16, .block = 64, .layers = 4, .width = 128};
    s.heads = 4, s.sample = 600, s.lr = 2e-3, s.dropout = 0.1;
  }
  for (int i = 1; i < argc; i += 2) {
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    auto number = [&](const char* name, auto& setting) {
      if (!value || std::strcmp(argv[i], name) != 0) return false;
      setting = static_cast<std::decay_t<decltype(setting)>>(std::atof(value));
      return true;
    };
    if (value && std::strcmp(argv[i], "--text") == 0) continue;
    if (value && std::strcmp(argv[i], "--weights") == 0) {
      s.weights = value;
    } else if (!number("--minutes", s.minutes) && !number("--steps", s.steps) && !number("--every", s.every) &&
               !number("--batch", s.batch) && !number("--block", s.block) && !number("--layers", s.layers) &&
               !number("--width", s.width) && !number("--heads", s.heads) && !number("--sample", s.sample) &&
               !number("--seed", s.seed) && !number("--lr", s.lr) && !number("--weight-decay", s.weight_decay) &&
               !number("--dropout", s.dropout) && !number("--temperature", s.temperature)) {
      std::fprintf(stderr, "char_gpt: %s is no option, or lacks its value\n", argv[i]);
      std::exit(1);
    }
  }
  return s;
}

struct Gpt : nn::Module {
  nn::Embedding token;
  nn::Parameter position;
  nn::Dropout drop;
  nn::TransformerEncoder body;
  nn::Linear head;

  Gpt(int64_t vocabulary, const Settings& s)
      : token(vocabulary, s.width),
        position(zeros({s.block, s.width})),
        drop(s.dropout),
        body({s.width,
              s.heads,
              {.dim_feedforward = 4 * s.width,
               .dropout = s.dropout,
               .activation = nn::Activation::gelu,
               .batch_first = true,
               .norm_first = true}},
             s.layers, {.norm = nn::LayerNorm(s.width)}),
        head(s.width, vocabulary) {
    // As in GPT-2: small weights, and smaller ones where layers add to what goes past them.
    for (auto& [name, p] : named_parameters()) {
      if (p.dim() < 2) continue;
      const bool adds = name.find("out_proj") != name.npos || name.find("linear2") != name.npos;
      nn::init::normal_(p, 0, adds ? 0.02 / std::sqrt(2.0 * s.layers) : 0.02);
    }
  }
  GRADUS_MODULE(token, position, drop, body, head)

  // Characters (batch, n) -> logits of the next ones (batch * n, vocabulary)
  Tensor forward(const Tensor& x) override {
    const Tensor h = drop(token(x) + position.narrow(0, 0, x.size(1)));
    return head(body(h, {.is_causal = true}).flatten(0, 1));
  }
};

// Nats per character over all blocks of a text.
double loss_on(Gpt& model, const data::Dataset& text) {
  NoGrad guard;
  model.eval();
  double total = 0;
  for (int64_t i = 0; i < text.x.size(0); i += 32) {
    const int64_t count = std::min<int64_t>(32, text.x.size(0) - i);
    const Tensor y = text.y.narrow(0, i, count).flatten();
    total += cross_entropy(model(text.x.narrow(0, i, count)), y, {.reduction = Reduction::sum}).item();
  }
  model.train();
  return total / static_cast<double>(text.y.numel());
}

// What the model writes after `begin`, one character.
std::string sample(Gpt& model, const data::CharVocabulary& vocabulary, const Tensor& begin, const Settings& s) {
  NoGrad guard;
  model.eval();
  Tensor all = begin;
  for (int64_t i = 0; i < s.sample; ++i) {
    const int64_t seen = std::min(all.numel(), s.block);
    const Tensor logits = model(all.narrow(0, all.numel() - seen, seen).unsqueeze(0))[-1] / s.temperature;
    const Tensor gumbel = -(-(rand_like(logits) + 1e-10).log()).log();  // its argmax with logits is a draw from softmax
    all = cat({all, (logits + gumbel).argmax().reshape({1})});
  }
  return vocabulary.decode(all.narrow(0, 1, s.sample));
}

int run(const Settings& s) {
  manual_seed(static_cast<uint64_t>(s.seed));
  const std::string book = s.text.empty() ? proverbs : data::read_text(s.text);
  const data::CharVocabulary vocabulary(book);
  const auto [train, rest] = data::split_sequence(vocabulary.encode(book), 0.9);
  const data::Dataset held_out = data::blocks(rest, s.block);

  Gpt model(vocabulary.size(), s);
  optim::AdamW optimizer(optim::decay_groups(
      model, optim::AdamWOptions{.lr = s.lr, .betas = {0.9, 0.99}, .weight_decay = s.weight_decay}));
  int64_t weights = 0;
  for (const Tensor& p : model.parameters()) weights += p.numel();
  std::printf("%lld characters of %lld kinds, %lld weights\n", static_cast<long long>(train.numel() + rest.numel()),
              static_cast<long long>(vocabulary.size()), static_cast<long long>(weights));

  const auto start = std::chrono::steady_clock::now();
  auto minutes = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60; };
  double sum = 0, loss = 0;
  int64_t since = 0;
  for (int64_t step = 1;; ++step) {
    // Warmup, then half a cosine down to a tenth, over the steps or the minutes there are.
    const double done = s.minutes > 0 ? minutes() / s.minutes : static_cast<double>(step) / s.steps;
    const double rate =
        s.lr * std::min(step / 100.0, 0.1 + 0.45 * (1 + std::cos(std::acos(-1.0) * std::min(done, 1.0))));
    for (int64_t group = 0; group < optimizer.group_count(); ++group) optimizer.set_lr(group, rate);

    const auto [x, y] = data::random_blocks(train, s.batch, s.block);
    optimizer.zero_grad();
    const Tensor step_loss = cross_entropy(model(x), y.flatten());
    step_loss.backward();
    clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    sum += step_loss.item(), ++since;

    const bool last = s.minutes > 0 ? done >= 1 : step >= s.steps;
    if (step % s.every == 0 || last) {
      loss = sum / since, sum = 0, since = 0;
      std::printf("step %6lld  train %.4f  held out %.4f nats per character  %.0f characters/s  %.1f minutes\n",
                  static_cast<long long>(step), loss, loss_on(model, held_out),
                  static_cast<double>(step * s.batch * s.block) / (60 * minutes()), minutes());
      std::fflush(stdout);
    }
    if (last) break;
  }
  save(model.state_dict(), s.weights);
  std::printf("\n%s\n", sample(model, vocabulary, rest.narrow(0, 0, 1), s).c_str());
  return s.text.empty() && !(loss < 2) ? 1 : 0;
}

int main(int argc, char** argv) {
  try {
    const Settings s = parse(argc, argv);
    if (s.every < 1 || s.batch < 1 || s.block < 1) throw Error("every, batch and block must be at least 1");
    return run(s);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "char_gpt: %s\n", error.what());
    return 2;
  }
}
