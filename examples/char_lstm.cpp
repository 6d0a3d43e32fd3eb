// An LSTM that learns to continue a text, character by character. It walks along the text and carries its state from
// block to block; gradients stop at a block's beginning (truncated backpropagation through time). Without arguments it
// learns a few proverbs in seconds. For a book:
//
//   gradus data fetch moby-dick
//   char_lstm --text ~/.local/share/gradus/moby-dick/moby-dick.txt
//
// Ten epochs on Moby-Dick reach 1.454 nats per character on the tenth that is held out.
#include <gradus/gradus.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
using namespace gradus;

namespace {

const char* const proverbs =
    "A stitch in time saves nine. The early bird catches the worm. A rolling stone gathers no moss. "
    "Where there is a will there is a way. Every cloud has a silver lining. The pen is mightier than the sword. ";

struct Settings {
  std::string text;
  std::int64_t epochs = 8, units = 96, streams = 4, block = 32;
  double lr = 1e-2, dropout = 0, temperature = 0.7;
  std::int64_t sample = 150;
};

Settings parse_settings(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 == argc) throw Error(flag + " takes a value");
    if (flag == "--text")
      settings = {.text = argv[i + 1],
                  .epochs = 10,
                  .units = 256,
                  .streams = 32,
                  .block = 64,
                  .lr = 4e-3,
                  .dropout = 0.1,
                  .sample = 600};
    else if (flag == "--epochs")
      settings.epochs = std::atoll(argv[i + 1]);
    else if (flag == "--units")
      settings.units = std::atoll(argv[i + 1]);
    else
      throw Error("unknown option " + flag + "; there are --text FILE, then --epochs N, --units N");
  }
  return settings;
}

struct Net : nn::Module {
  nn::Embedding embedding;
  nn::LSTM lstm;
  nn::Dropout dropout;
  nn::Linear head;

  Net(std::int64_t characters, const Settings& settings)
      : embedding(characters, 64),
        lstm(64, settings.units, {.batch_first = true}),
        dropout(settings.dropout),
        head(settings.units, characters) {}
  GRADUS_MODULE(embedding, lstm, dropout, head)

  // (streams, steps) -> logits of each next character (streams * steps, characters). The state goes on to the next
  // call.
  Tensor next(const Tensor& x, LSTMState& state) {
    auto [output, h, c] = lstm(embedding(x), state);
    state = {h.detach(), c.detach()};
    return head(dropout(output).flatten(0, 1));
  }
};

// (n) -> (streams, n / streams): pieces of the text that are read side by side, and what follows each character.
data::Dataset streams_of(const Tensor& text, std::int64_t streams) {
  data::Dataset set = data::blocks(text, (text.size(0) - 1) / streams);
  return {set.x.narrow(0, 0, streams), set.y.narrow(0, 0, streams)};
}

// Calls visit(logits, targets) for each block of the streams, from left to right.
template <class F>
void walk(Net& net, const data::Dataset& streams, std::int64_t block, const F& visit) {
  LSTMState state;
  const std::int64_t length = streams.x.size(1);
  for (std::int64_t start = 0; start < length; start += block) {
    const std::int64_t steps = std::min(block, length - start);
    visit(net.next(streams.x.narrow(1, start, steps), state), streams.y.narrow(1, start, steps).flatten());
  }
}

// Nats per character.
double held_out_loss(Net& net, const data::Dataset& streams, std::int64_t block) {
  NoGrad guard;
  net.eval();
  double total = 0;
  walk(net, streams, block, [&](const Tensor& logits, const Tensor& y) {
    total += cross_entropy(logits, y, {.reduction = Reduction::sum}).item();
  });
  net.train();
  return total / streams.y.numel();
}

std::int64_t draw(const Tensor& probabilities) {
  double rest = rand({1}, {.dtype = float64}).item();
  const auto p = probabilities.data<float>();
  for (std::size_t i = 0; i < p.size(); ++i) {
    rest -= p[i];
    if (rest < 0) return static_cast<std::int64_t>(i);
  }
  return static_cast<std::int64_t>(p.size()) - 1;
}

std::string sample(Net& net, const data::CharVocabulary& vocabulary, const std::string& beginning,
                   const Settings& settings) {
  NoGrad guard;
  net.eval();
  LSTMState state;
  std::string text = beginning;
  Tensor x = vocabulary.encode(beginning);
  for (std::int64_t i = 0; i < settings.sample; ++i) {
    const Tensor logits = net.next(x.unsqueeze(0), state)[-1];
    x = tensor({draw(softmax(logits / settings.temperature, 0))});
    text += vocabulary.decode(x);
  }
  return text;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int run(const Settings& settings) {
  manual_seed(1);
  std::string text;
  if (settings.text.empty()) {
    for (int i = 0; i < 10; ++i) text += proverbs;
  } else {
    text = data::read_text(settings.text);
  }
  const data::CharVocabulary vocabulary(text);
  const auto [train_text, held_out_text] = data::split_sequence(vocabulary.encode(text), 0.9);
  const data::Dataset train = streams_of(train_text, settings.streams), held_out = streams_of(held_out_text, 1);

  const std::string beginning = vocabulary.decode(held_out_text.narrow(0, 0, 1));

  Net net(vocabulary.size(), settings);
  optim::Adam optimizer(net.parameters(), {.lr = settings.lr});
  const std::int64_t steps = (train.x.size(1) + settings.block - 1) / settings.block;
  optim::CosineAnnealingLR schedule(optimizer, {.T_max = settings.epochs * steps});
  std::printf("learning from %lld characters, %lld are held out; there are %lld kinds\n",
              static_cast<long long>(train_text.numel()), static_cast<long long>(held_out_text.numel()),
              static_cast<long long>(vocabulary.size()));

  double reached = 0;
  for (std::int64_t epoch = 1; epoch <= settings.epochs; ++epoch) {
    const double start = seconds();
    double total = 0;
    walk(net, train, settings.block, [&](const Tensor& logits, const Tensor& y) {
      optimizer.zero_grad();
      Tensor loss = cross_entropy(logits, y);
      loss.backward();
      clip_grad_norm_(net.parameters(), 1.0);
      optimizer.step();
      schedule.step();
      total += loss.item() * y.numel();
    });
    const double trained = seconds();
    reached = held_out_loss(net, held_out, settings.block);
    std::printf("epoch %2lld in %5.1f s: %.3f nats per character, held out %.3f\n", static_cast<long long>(epoch),
                trained - start, total / train.y.numel(), reached);
    std::fflush(stdout);
  }
  save(net.state_dict(), "char_lstm.safetensors", {.metadata = {{"characters", vocabulary.characters()}}});
  std::printf("%s\n", sample(net, vocabulary, beginning, settings).c_str());
  return !settings.text.empty() || reached < 0.3 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse_settings(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
