#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "messages.hpp"
#include "temporary.hpp"

using namespace gradus;
using namespace std::string_literals;
using tests::message_of;
using tests::TemporaryDirectory;

namespace {

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor copy = tensor.to(float64).contiguous();
  const auto values = copy.data<double>();
  return {values.begin(), values.end()};
}

// n samples that tell where they came from: x[i] = (2i, 2i + 1), y[i] = i.
data::Dataset counted(std::int64_t n) {
  return {reshape(arange(static_cast<double>(2 * n), {.dtype = float32}), {n, 2}), arange(static_cast<double>(n))};
}

// The targets in the order in which an epoch delivers them, after checking that each x belongs to its y.
std::vector<double> epoch_of(data::DataLoader& loader) {
  std::vector<double> order;
  for (const auto& [x, y] : loader) {
    CHECK(equal(x.select(1, 0), (y * 2.0).to(float32)));
    for (const double label : numbers(y)) order.push_back(label);
  }
  return order;
}

}  // namespace

TEST_CASE("a dataset has one x and one y per sample") {
  const data::Dataset set(zeros({3, 2}), zeros({3}));
  CHECK(set.size() == 3);
  const auto& [x, y] = set;
  CHECK(x.is(set.x));
  CHECK(message_of([] {
          data::Dataset(zeros({3, 2}), zeros({4}));
        }) == "Dataset: x and y must have the same number of samples in dim 0: (3, 2) and (4,)");
  CHECK(message_of([] { data::Dataset(zeros({}), zeros({})); }) ==
        "Dataset: x and y must have the same number of samples in dim 0: () and ()");
  CHECK(message_of([] { data::Dataset(Tensor(), zeros({1})); }) == "Dataset: x and y must be defined tensors");
}

TEST_CASE("split shares all samples out, each with its target") {
  const data::Dataset set = counted(50);
  const auto [first, second] = set.split(0.8);
  CHECK(first.size() == 40);
  CHECK(second.size() == 10);
  std::vector<double> all = numbers(first.y), rest = numbers(second.y);
  CHECK(!std::is_sorted(all.begin(), all.end()));
  all.insert(all.end(), rest.begin(), rest.end());
  std::sort(all.begin(), all.end());
  CHECK(all == numbers(set.y));
  CHECK(equal(first.x.select(1, 1), (first.y * 2.0 + 1.0).to(float32)));
}

TEST_CASE("split depends on its seed alone, or on the generator") {
  const data::Dataset set = counted(50);
  manual_seed(1);
  const Tensor global = set.split(0.5).first.y;
  CHECK(!equal(set.split(0.5).first.y, global));
  manual_seed(1);
  CHECK(equal(set.split(0.5).first.y, global));

  const Tensor seeded = set.split(0.5, {.seed = 7}).first.y;
  CHECK(equal(set.split(0.5, {.seed = 7}).first.y, seeded));
  CHECK(!equal(set.split(0.5, {.seed = 8}).first.y, seeded));
  Generator generator(7);
  CHECK(equal(set.split(0.5, {.generator = &generator}).first.y, seeded));
  CHECK(numbers(set.split(0.1, {.shuffle = false}).first.y) == std::vector<double>{0, 1, 2, 3, 4});
}

TEST_CASE("split refuses what leaves a part empty") {
  const data::Dataset set = counted(3);
  const std::pair<double, std::string> cases[] = {
      {0.0, "split: the fraction must be between 0 and 1: 0"},
      {1.0, "split: the fraction must be between 0 and 1: 1"},
      {-0.5, "split: the fraction must be between 0 and 1: -0.5"},
      {std::nan(""), "split: the fraction must be between 0 and 1: nan"},
      {0.1, "split: a part would be empty: fraction 0.1 of 3 samples"},
      {0.9, "split: a part would be empty: fraction 0.9 of 3 samples"},
  };
  for (const auto& [fraction, message] : cases) {
    CAPTURE(fraction);
    CHECK(message_of([&] { set.split(fraction); }) == message);
  }
  Generator generator;
  CHECK(message_of([&] { set.split(0.5, {.seed = 1, .generator = &generator}); }) ==
        "split: takes a seed or a generator, not both");
}

TEST_CASE("a loader delivers each sample once per epoch") {
  for (const bool shuffle : {false, true}) {
    for (const std::int64_t batch_size : {1, 3, 10, 11, 100}) {
      CAPTURE(shuffle);
      CAPTURE(batch_size);
      data::DataLoader loader(counted(10), {.batch_size = batch_size, .shuffle = shuffle});
      std::vector<double> order = epoch_of(loader);
      if (!shuffle) CHECK(std::is_sorted(order.begin(), order.end()));
      std::sort(order.begin(), order.end());
      CHECK(order == numbers(arange(10)));
    }
  }
}

TEST_CASE("a loader counts its batches, with or without an incomplete last one") {
  struct Case {
    std::int64_t samples, batch_size;
    bool drop_last;
    std::int64_t batches;
  };
  const Case cases[] = {{10, 3, false, 4}, {10, 3, true, 3}, {9, 3, true, 3},
                        {9, 3, false, 3},  {2, 3, true, 0},  {2, 3, false, 1}};
  for (const auto& [samples, batch_size, drop_last, batches] : cases) {
    CAPTURE(samples);
    CAPTURE(drop_last);
    data::DataLoader loader(counted(samples), {.batch_size = batch_size, .shuffle = true, .drop_last = drop_last});
    CHECK(loader.size() == batches);
    std::int64_t seen = 0;
    for (const auto& [x, y] : loader) {
      ++seen;
      CHECK(x.size(0) == y.size(0));
      CHECK((x.size(0) == batch_size || (!drop_last && seen == batches)));
    }
    CHECK(seen == batches);
  }
}

TEST_CASE("an epoch's order depends only on the seed and the epoch") {
  data::DataLoader a(counted(40), {.batch_size = 8, .shuffle = true, .seed = 3});
  const auto first = epoch_of(a);
  randn({5});
  const auto second = epoch_of(a);
  CHECK(first != second);

  data::DataLoader b(counted(40), {.batch_size = 5, .shuffle = true, .seed = 3});
  b.set_next_epoch(1);
  CHECK(epoch_of(b) == second);
  CHECK(b.next_epoch() == 2);
  data::DataLoader other(counted(40), {.batch_size = 8, .shuffle = true, .seed = 4});
  CHECK(epoch_of(other) != first);

  manual_seed(9);
  data::DataLoader c(counted(40), {.shuffle = true});
  manual_seed(9);
  data::DataLoader d(counted(40), {.shuffle = true});
  CHECK(c.seed() == d.seed());
  CHECK(epoch_of(c) == epoch_of(d));
}

TEST_CASE("batches are copies: changing one leaves the dataset alone") {
  for (const bool shuffle : {false, true}) {
    const data::Dataset set = counted(4);
    data::DataLoader loader(set, {.batch_size = 2, .shuffle = shuffle});
    for (auto [x, y] : loader) x.zero_(), y.zero_();
    CHECK(equal(set.x, counted(4).x));
    CHECK(equal(set.y, counted(4).y));
  }
}

TEST_CASE("an iterator outlives its loader, and a loader its dataset") {
  auto iterator = data::DataLoader(counted(4), {.batch_size = 3}).begin();
  CHECK(numbers((*iterator).y) == std::vector<double>{0, 1, 2});
  ++iterator;
  CHECK(numbers((*iterator).y) == std::vector<double>{3});
  ++iterator;
  CHECK(iterator == std::default_sentinel);
}

TEST_CASE("a loader takes views, and records nothing of them") {
  const Tensor x = randn({3, 6}, {.requires_grad = true});
  data::DataLoader loader({x.t(), arange(6)}, {.batch_size = 4});
  const data::Dataset batch = *loader.begin();
  CHECK(equal(batch.x, x.detach().t().narrow(0, 0, 4)));
  CHECK(!batch.x.requires_grad());
}

TEST_CASE("a loader refuses bad options") {
  CHECK(message_of([] { data::DataLoader(counted(2), {.batch_size = 0}); }) ==
        "DataLoader: batch_size must be positive: 0");
  data::DataLoader loader(counted(2));
  CHECK(message_of([&] { loader.set_next_epoch(-1); }) == "DataLoader: the number of an epoch can't be negative: -1");
}

TEST_CASE("the digits are 1797 labelled pictures") {
  const data::Dataset set = data::digits();
  CHECK(set.x.shape() == Shape{1797, 64});
  CHECK(set.y.shape() == Shape{1797});
  CHECK(set.x.dtype() == float32);
  CHECK(set.y.dtype() == int64);
  CHECK(min(set.x).item() == 0);
  CHECK(max(set.x).item() == 1);
  // The sum of all pixels and the classes' sizes, as scikit-learn's load_digits() has them.
  CHECK(set.x.to(float64).sum().item() * 16 == 561718);
  std::vector<int> sizes(10);
  for (const std::int64_t label : set.y.data<std::int64_t>()) ++sizes.at(static_cast<std::size_t>(label));
  CHECK(sizes == std::vector<int>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});
  const std::vector<double> top{0, 0, 5, 13, 9, 1, 0, 0};
  CHECK(numbers(set.x[0].narrow(0, 0, 8) * 16.0) == top);
  CHECK(set.y[1796].item() == 8);
  // A copy each time.
  data::digits().x.zero_();
  CHECK(equal(data::digits().x, set.x));
}

TEST_CASE("read_table reads what CSV files look like") {
  struct Case {
    std::string text;
    std::vector<std::string> names;
    Shape shape;
    std::vector<double> values;
  };
  const Case cases[] = {
      {"1,2\n3,4\n", {}, {2, 2}, {1, 2, 3, 4}},
      {"1,2\n3,4", {}, {2, 2}, {1, 2, 3, 4}},
      {"1,2\r\n3,4\r\n", {}, {2, 2}, {1, 2, 3, 4}},
      {"1,2\r3,4\r", {}, {2, 2}, {1, 2, 3, 4}},
      {"\xEF\xBB\xBF"
       "a,b\n1,2\n",
       {"a", "b"},
       {1, 2},
       {1, 2}},
      {"\n\n1,2\n\n3,4\n\r\n\n", {}, {2, 2}, {1, 2, 3, 4}},
      {"a,b\n1,2\n", {"a", "b"}, {1, 2}, {1, 2}},
      {"\"a, \"\"big\"\"\nname\",b\n1,2\n", {"a, \"big\"\nname", "b"}, {1, 2}, {1, 2}},
      {" \"1\" ,\t2 \n+3,-4e-1\n", {}, {2, 2}, {1, 2, 3, -0.4f}},
      {"7\n", {}, {1, 1}, {7}},
      {",a\n0,5\n", {"", "a"}, {1, 2}, {0, 5}},
      {".5,5.,1E2\n", {}, {1, 3}, {0.5, 5, 100}},
  };
  const TemporaryDirectory directory;
  for (const auto& [text, names, shape, values] : cases) {
    CAPTURE(text);
    data::Table table;
    CHECK(message_of([&] { table = data::read_table(directory.write("t.csv", text)); }) == "");
    if (!table.values.defined()) continue;
    CHECK(table.names == names);
    CHECK(table.values.shape() == shape);
    CHECK(numbers(table.values) == values);
  }
}

TEST_CASE("read_table obeys its options") {
  const TemporaryDirectory directory;
  const std::string semicolons = directory.write("a.csv", "1;2\n3;4\n");
  const data::Table with_header = data::read_table(semicolons, {.header = true, .delimiter = ';', .dtype = int64});
  CHECK(with_header.names == std::vector<std::string>{"1", "2"});
  CHECK(with_header.values.dtype() == int64);
  CHECK(numbers(with_header.values) == std::vector<double>{3, 4});

  const std::string tabs = directory.write("b.tsv", "1.5\t\t3\n4\tNA\tnan\n-inf\t0.1\t1\n");
  const Tensor holes = data::read_table(tabs, {.delimiter = '\t', .dtype = float64, .allow_nan = true}).values;
  CHECK(holes.shape() == Shape{3, 3});
  std::vector<std::size_t> missing;
  const auto values = numbers(holes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) missing.push_back(i);
  }
  CHECK(missing == std::vector<std::size_t>{1, 4, 5});
  CHECK(values[6] == -INFINITY);
  CHECK(values[7] == 0.1);
  CHECK(numbers(data::read_table(directory.write("c.txt", "1 2\n3 4\n"), {.delimiter = ' '}).values) ==
        std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("read_csv tells features from the target") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("houses.csv", "area,price,rooms\n50.5,3,2\n70,5,3\n");
  const data::Dataset last = data::read_csv(path);
  CHECK(last.x.shape() == Shape{2, 2});
  CHECK(numbers(last.x) == std::vector<double>{50.5, 3, 70, 5});
  CHECK(numbers(last.y) == std::vector<double>{2, 3});
  CHECK(last.y.shape() == Shape{2});
  CHECK(last.x.dtype() == float32);

  const data::Dataset named = data::read_csv(path, {.target = "price", .dtype = float64, .target_dtype = int64});
  CHECK(numbers(named.x) == std::vector<double>{50.5, 2, 70, 3});
  CHECK(numbers(named.y) == std::vector<double>{3, 5});
  CHECK(named.x.dtype() == float64);
  CHECK(named.y.dtype() == int64);
  CHECK(numbers(data::read_csv(path, {.target = 0}).y) == std::vector<double>{50.5, 70});
  CHECK(numbers(data::read_csv(path, {.target = -2}).y) == std::vector<double>{3, 5});
}

TEST_CASE("read_csv names file, line, column and text of what it refuses") {
  const TemporaryDirectory directory;
  struct Case {
    std::string text;
    data::CsvOptions options;
    std::string message;  // behind "read_csv: PATH"
  };
  const Case cases[] = {
      {"", {}, ": has no rows of numbers"},
      {"a,b\n", {}, ": has no rows of numbers"},
      {"\n\n", {}, ": has no rows of numbers"},
      {"1,2\n3,abc\n", {}, ":2: column 2: not a number: \"abc\""},
      {"a,b\n1,2\n3,1.2.3\n", {}, ":3: column 2 (b): not a number: \"1.2.3\""},
      {"a,b\r\n\r\n1,\r\n", {}, ":3: column 2 (b): a number is missing: \"\""},
      {"1,NA\n", {}, ":1: column 2: a number is missing: \"NA\""},
      {"1,2\n\"\",2\n", {}, ":2: column 1: a number is missing: \"\""},
      {"1,nan\n", {}, ":1: column 2: not a finite number: \"nan\""},
      {"inf,1\n", {}, ":1: column 1: not a finite number: \"inf\""},
      {"1,nan\n", {.allow_nan = true}, ":1: column 2: not a finite number: \"nan\""},
      {"1,2\n3,4,5\n", {}, ":2: rows differ in length: 3 cells, the first row has 2"},
      {"1,2\n3\n", {}, ":2: rows differ in length: 1 cells, the first row has 2"},
      {"1,2,\n3,4\n", {}, ":1: column 3: a number is missing: \"\""},
      {"a,2\n3,4\n", {}, ":1: column 1: not a number: \"a\""},
      {"1 2,3\n", {}, ":1: column 1: not a number: \"1 2\""},
      {"0x10,3\n", {}, ":1: column 1: not a number: \"0x10\""},
      {"+-1,3\n", {}, ":1: column 1: not a number: \"+-1\""},
      {"\"1,234\",3\n", {}, ":1: column 1: not a number: \"1,234\""},
      {"1,1e999\n", {}, ":1: column 2: out of the range of float64: \"1e999\""},
      {"1,1e39\n", {}, ":1: column 2: out of the range of float32: \"1e39\""},
      {"1,2.5\n", {.target_dtype = int64}, ":1: column 2: not a whole number below 2^53: \"2.5\""},
      {"1,9007199254740993\n",
       {.dtype = float64, .target_dtype = int64},
       ":1: column 2: not a whole number below 2^53: \"9007199254740993\""},
      {"1,1e17\n", {.target_dtype = int64}, ":1: column 2: not a whole number below 2^53: \"1e17\""},
      {"1,2\n\"3,4\n", {}, ":2: a quoted cell has no closing quote"},
      {"1,2\n\"3\"x,4\n", {}, ":2: text after a closing quote: \"x\""},
      {"1,2\n3,\x01\x7f\n", {}, ":2: column 2: not a number: \"\\x01\\x7f\""},
      {"1,2\n3,4\0\n"s, {}, ": is not text: byte 7 is NUL"},
      {"1,2\n3," + std::string(100, 'z') + "\n",
       {},
       ":2: column 2: not a number: \"" + std::string(40, 'z') + "\"... (100 characters)"},
      {"1\n2\n", {}, ": a target and at least one feature take 2 columns or more: 1"},
      {"1,2\n", {.target = 2}, ": target column 2 is not among its 2 columns"},
      {"1,2\n", {.target = -3}, ": target column -3 is not among its 2 columns"},
      {"1,2\n", {.target = "b"}, ": no column is named \"b\": it has no header"},
      {"a,c\n1,2\n", {.target = "b"}, ": no column is named \"b\": there are \"a\" \"c\""},
      {"b,b\n1,2\n", {.target = "b"}, ": more than one column is named \"b\": there are \"b\" \"b\""},
  };
  for (const auto& [text, options, message] : cases) {
    CAPTURE(text);
    const std::string path = directory.write("t.csv", text);
    CHECK(message_of([&, &chosen = options] { data::read_csv(path, chosen); }) == "read_csv: " + path + message);
  }
}

TEST_CASE("read_csv refuses files that cannot be read and options that make no sense") {
  const TemporaryDirectory directory;
  const std::string absent = directory.path("absent.csv");
  CHECK(message_of([&] { data::read_csv(absent); }) ==
        "read_csv: " + absent + ": cannot be opened: No such file or directory");
  CHECK(message_of([&] { data::read_csv(directory.path("")); }) ==
        "read_csv: " + directory.path("") + ": cannot be read: Is a directory");
  CHECK(message_of([] { data::read_csv("/dev/zero"); }) == "read_csv: /dev/zero: is not text: byte 0 is NUL");
  const std::string path = directory.write("t.csv", "1,2\n");
  for (const char delimiter : {'"', '\n', '\r', '.', '-', '+', '7', 'e', '\0'}) {
    CAPTURE(delimiter);
    const std::string message = message_of([&] { data::read_csv(path, {.delimiter = delimiter}); });
    CHECK(message.starts_with("read_csv: cannot be a delimiter: "));
  }
  CHECK(message_of([&] { data::read_csv(path, {.dtype = boolean}); }) ==
        "read_csv: dtype must be float32, float64 or int64: bool");
}

namespace {

std::string big_endian(std::uint64_t bits, int bytes) {
  std::string result;
  for (int i = bytes - 1; i >= 0; --i) result += static_cast<char>(bits >> (8 * i) & 0xFF);
  return result;
}

std::string idx_header(int type, const std::vector<std::uint32_t>& sizes) {
  std::string header = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) header += big_endian(size, 4);
  return header;
}

// gzip's bytes for a uint8 file of shape (2, 2, 3) with the values 0 to 11.
std::string compressed_idx() {
  constexpr std::string_view hex =
      "1f8b08000000000002036360e0606660606082626606462666165636760e4e2e6e00781e23841c000000";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

}  // namespace

TEST_CASE("read_idx reads every element type") {
  struct Case {
    int type;
    std::string bytes;
    Dtype dtype;
    std::vector<double> values;
  };
  const Case cases[] = {
      {0x08, {"\x00\xFF", 2}, float32, {0, 255}},
      {0x09, {"\x80\x7F", 2}, float32, {-128, 127}},
      {0x0B, big_endian(0x8000, 2) + big_endian(258, 2), float32, {-32768, 258}},
      {0x0C, big_endian(0x80000000, 4) + big_endian(16909060, 4), int64, {-2147483648.0, 16909060}},
      {0x0D,
       big_endian(std::bit_cast<std::uint32_t>(-1.5f), 4) + big_endian(std::bit_cast<std::uint32_t>(1e-3f), 4),
       float32,
       {-1.5, static_cast<double>(1e-3f)}},
      {0x0E,
       big_endian(std::bit_cast<std::uint64_t>(0.1), 8) + big_endian(std::bit_cast<std::uint64_t>(-1e300), 8),
       float64,
       {0.1, -1e300}},
  };
  const TemporaryDirectory directory;
  for (const auto& [type, bytes, dtype, values] : cases) {
    CAPTURE(type);
    const Tensor tensor = data::read_idx(directory.write("t.idx", idx_header(type, {2, 1}) + bytes));
    CHECK(tensor.shape() == Shape{2, 1});
    CHECK(tensor.dtype() == dtype);
    CHECK(numbers(tensor) == values);
  }
}

TEST_CASE("read_idx gives labels as int64, images as float32, or what is asked for") {
  const TemporaryDirectory directory;
  const std::string labels = directory.write("labels", idx_header(8, {3}) + "\x01\x02\x03");
  CHECK(data::read_idx(labels).dtype() == int64);
  CHECK(numbers(data::read_idx(labels)) == std::vector<double>{1, 2, 3});
  for (const Dtype dtype : {float32, float64, int64}) CHECK(data::read_idx(labels, {.dtype = dtype}).dtype() == dtype);
  CHECK(message_of([&] { data::read_idx(labels, {.dtype = boolean}); }) ==
        "read_idx: " + labels + ": cannot be read as bool: it holds uint8");
  const std::string floats = directory.write("floats", idx_header(0x0D, {1}) + big_endian(0, 4));
  CHECK(message_of([&] { data::read_idx(floats, {.dtype = int64}); }) ==
        "read_idx: " + floats + ": cannot be read as int64: it holds float32");
}

TEST_CASE("read_idx reads gzip whatever the file is called") {
  const TemporaryDirectory directory;
  for (const char* name : {"images.gz", "images"}) {
    const Tensor images = data::read_idx(directory.write(name, compressed_idx()));
    CHECK(images.shape() == Shape{2, 2, 3});
    CHECK(numbers(images) == numbers(arange(12)));
  }
}

TEST_CASE("read_idx reads empty tensors") {
  const TemporaryDirectory directory;
  CHECK(data::read_idx(directory.write("t", idx_header(8, {0, 28, 28}))).shape() == Shape{0, 28, 28});
  CHECK(data::read_idx(directory.write("t", idx_header(8, {0}))).numel() == 0);
}

TEST_CASE("read_idx refuses broken and lying files") {
  const std::string packed = compressed_idx();
  std::string corrupt = packed, wrong_sum = packed;
  corrupt[20] ^= 0x55;
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  const std::string all = "\xFF\xFF\xFF\xFF";
  struct Case {
    std::string content;
    std::string message;  // behind "read_idx: PATH: "
  };
  const std::uint32_t most = 0xFFFFFFFF;
  const Case cases[] = {
      {"", "truncated: the header takes 4 bytes and the sizes, 0 bytes found"},
      {"\0\0\x08"s, "truncated: the header takes 4 bytes and the sizes, 3 bytes found"},
      {"\x08\x01\0\0abcd"s, "is no IDX file: it begins with bytes 08 01, not 00 00"},
      {idx_header(0x0A, {1}) + "a", "element type must be 08, 09, 0b, 0c, 0d or 0e: 0a"},
      {idx_header(0, {1}) + "a", "element type must be 08, 09, 0b, 0c, 0d or 0e: 00"},
      {idx_header(8, {}) + "a", "must have 1 to 8 dims: 0"},
      {idx_header(8, std::vector<std::uint32_t>(9, 1)) + "a", "must have 1 to 8 dims: 9"},
      {"\0\0\x08\xFF"s, "must have 1 to 8 dims: 255"},
      {idx_header(8, {2, 2}).substr(0, 9), "truncated: it ends among the sizes of 2 dims"},
      {idx_header(8, {2, 2}) + "abc", "truncated: (2, 2) of uint8 takes 4 bytes, the file has at most 3"},
      {idx_header(0x0E, {2}) + "0123456789", "truncated: (2,) of float64 takes 16 bytes, the file has at most 10"},
      {idx_header(8, {2, 2}) + "abcde", "(2, 2) of uint8 takes 4 bytes, but the file goes on"},
      {idx_header(8, {0, 7}) + "a", "(0, 7) of uint8 takes 0 bytes, but the file goes on"},
      {idx_header(8, {most, most}) + "abc", "sizes overflow: (4294967295, 4294967295)"},
      {idx_header(8, {most, most, most, most}) + "abc",
       "sizes overflow: (4294967295, 4294967295, 4294967295, 4294967295)"},
      {idx_header(8, {0, most, most, most}), "sizes overflow: (0, 4294967295, 4294967295, 4294967295)"},
      {idx_header(0x0E, {most, 1 << 28}) + "abc",
       "truncated: (4294967295, 268435456) of float64 takes 9223372034707292160 bytes, the file has at most 3"},
      {packed.substr(0, 20), "cannot be read: unexpected end of file"},
      {packed.substr(0, packed.size() - 6), "cannot be read: unexpected end of file"},
      {corrupt, ""},  // zlib's words for it depend on the place
      {wrong_sum, "cannot be read: incorrect data check"},
  };
  const TemporaryDirectory directory;
  for (const auto& [content, message] : cases) {
    CAPTURE(message);
    const std::string path = directory.write("t.idx", content);
    const std::string received = message_of([&] { data::read_idx(path); });
    if (message.empty())
      CHECK(received.starts_with("read_idx: " + path + ": "));
    else
      CHECK(received == "read_idx: " + path + ": " + message);
  }
  CHECK(message_of([&] { data::read_idx(directory.path("absent")); }) ==
        "read_idx: " + directory.path("absent") + ": cannot be opened: No such file or directory");
  CHECK(message_of([&] {
          data::read_idx(directory.path(""));
        }).starts_with("read_idx: " + directory.path("") + ": cannot be"));
}

TEST_CASE("read_idx and read_csv survive random damage") {
  const TemporaryDirectory directory;
  const std::string originals[] = {idx_header(8, {2, 3}) + "abcdef", idx_header(0x0E, {1, 2}) + std::string(16, 'x'),
                                   compressed_idx(), "a,b\n1,2\n\"3\",4e5\r\n"};
  Generator generator(1);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(generator.below(bound)); };
  int refused = 0;
  constexpr int trials = 2000;
  for (int trial = 0; trial < trials; ++trial) {
    std::string content = originals[below(4)];
    for (std::size_t change = below(3) + 1; change > 0; --change) {
      const std::size_t place = below(content.size());
      switch (below(3)) {
        case 0:
          content[place] = static_cast<char>(below(256));
          break;
        case 1:
          content.insert(place, 1, static_cast<char>(below(256)));
          break;
        default:
          content.resize(place + 1);
          break;
      }
    }
    const std::string path = directory.write("damaged", content);
    refused += message_of([&] { data::read_idx(path); }) != "";
    refused += message_of([&] { data::read_csv(path); }) != "";
  }
  CHECK(refused > trials);  // no file is both, and most are neither
}

TEST_CASE("mnist reads the two files of a part, plain or compressed") {
  const TemporaryDirectory directory;
  directory.write("train-images-idx3-ubyte", idx_header(8, {2, 1, 3}) + std::string("\x00\xff\x33\x01\x02\x03", 6));
  directory.write("train-labels-idx1-ubyte", idx_header(8, {2}) + "\x07\x09");
  directory.write("t10k-images-idx3-ubyte.gz", idx_header(8, {1, 1, 1}) + "\xff");
  directory.write("t10k-labels-idx1-ubyte", idx_header(8, {2}) + "\x07\x09");
  const data::Dataset set = data::mnist(directory.path(""));
  CHECK(set.x.shape() == Shape{2, 1, 1, 3});
  CHECK(set.x.dtype() == float32);
  CHECK(allclose(set.x.flatten(), tensor({0.0, 1.0, 0.2, 1 / 255.0, 2 / 255.0, 3 / 255.0})));
  CHECK(numbers(set.y) == std::vector<double>{7, 9});
  CHECK(set.y.dtype() == int64);

  const std::string where = "mnist: " + directory.path("") + ": ";
  CHECK(message_of([&] { data::mnist(directory.path(""), {.train = false}); }) ==
        where + "images (n, height, width) and labels (n) expected in the t10k files: (1, 1, 1) and (2,)");
  CHECK(message_of([] { data::mnist("/no/such/folder"); }) ==
        "mnist: /no/such/folder: has neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz");
}

TEST_CASE("fetched data sets have a place of their own") {
  const auto with = [](const char* data_home, const char* home) {
    const std::string home_before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
    setenv("XDG_DATA_HOME", data_home, 1);
    setenv("HOME", home, 1);
    std::string path;
    const std::string message = message_of([&] { path = data::stored("mnist"); });
    setenv("HOME", home_before.c_str(), 1);
    unsetenv("XDG_DATA_HOME");
    return path + message;
  };
  CHECK(with("/data", "/home/me") == "/data/gradus/mnist");
  CHECK(with("", "/home/me") == "/home/me/.local/share/gradus/mnist");
  CHECK(with("relative", "/home/me") == "/home/me/.local/share/gradus/mnist");
  CHECK(with("", "") == "stored: neither XDG_DATA_HOME nor HOME is set to an absolute path: data set mnist");
}

TEST_CASE("a scaler gives features mean 0 and variance 1, and takes it back") {
  manual_seed(3);
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const Tensor x = randn({50, 3}, {.dtype = dtype}) * tensor({1e-3, 1.0, 1e4}, {.dtype = dtype}) + 7.0;
    const data::StandardScaler scaler(x);
    const Tensor z = scaler.transform(x);
    CHECK(allclose(z.mean(0), zeros({3}, {.dtype = dtype}), {.atol = 1e-3}));
    CHECK(allclose(square(z).mean(0), ones({3}, {.dtype = dtype}), {.rtol = 1e-3}));
    CHECK(allclose(scaler.inverse_transform(z), x));
    CHECK(allclose(scaler.transform(x.narrow(0, 0, 5)), z.narrow(0, 0, 5)));
  }
  // Thousand times 0.1 don't add up to 100, but they are equal.
  const Tensor tiny = tensor({{0.0}, {1e-200}, {2e-200}}, {.dtype = float64});
  CHECK(allclose(data::StandardScaler(tiny).transform(tiny) * 1e200,
                 data::StandardScaler(tiny * 1e200).transform(tiny * 1e200) * 1e200));
  const data::StandardScaler constant(full({1000, 1}, 0.1, {.dtype = float64}));
  CHECK(equal(constant.transform(tensor({{0.1}, {0.6}}, {.dtype = float64})),
              tensor({{0.0}, {0.5}}, {.dtype = float64})));
  const data::StandardScaler target(tensor({1.0, 3.0}));
  CHECK(target.mean().item() == 2);
  CHECK(target.scale().item() == 1);

  CHECK(message_of([] { data::StandardScaler{Tensor()}; }) == "StandardScaler: features must be floating: undefined");
  CHECK(message_of([] {
          data::StandardScaler(tensor({1, 2}));
        }) == "StandardScaler: features must be floating: int64 (2,)");
  CHECK(message_of([] { data::StandardScaler(zeros({0, 2})); }) == "StandardScaler: there is no sample: (0, 2)");
  CHECK(message_of([] {
          data::StandardScaler(tensor({1.0, std::nan("")}));
        }) == "StandardScaler: a feature is NaN or infinite: (2,)");
  CHECK(message_of([&] {
          target.transform(zeros({2, 3}));
        }) == "transform: samples of the shape and dtype learnt from expected, float32 (): float32 (2, 3)");
  CHECK(message_of([&] {
          constant.inverse_transform(zeros({2, 1}));
        }) == "inverse_transform: samples of the shape and dtype learnt from expected, float64 (1,): float32 (2, 1)");
}

TEST_CASE("a vocabulary numbers the characters of a text in their order") {
  const data::CharVocabulary vocabulary("whale—Ähm\n𝄞");
  CHECK(vocabulary.size() == 10);
  CHECK(vocabulary.characters() == "\naehlmwÄ—𝄞");
  const Tensor indices = vocabulary.encode("Ähm—𝄞");
  CHECK(numbers(indices) == std::vector<double>{7, 3, 5, 8, 9});
  CHECK(vocabulary.decode(indices) == "Ähm—𝄞");
  CHECK(vocabulary.decode(flip(indices, 0).reshape({5, 1})) == "𝄞—mhÄ");
  CHECK(vocabulary.encode("").shape() == Shape{0});
  CHECK(data::CharVocabulary(vocabulary.characters()).characters() == vocabulary.characters());

  CHECK(message_of([&] { vocabulary.encode("hé"); }) ==
        "encode: U+00E9 at byte 1 is not among the 10 characters of the vocabulary");
  CHECK(message_of([&] { vocabulary.decode(tensor({3, 10})); }) == "decode: index 10 is outside [0, 10)");
  CHECK(message_of([&] { vocabulary.decode(tensor({-1})); }) == "decode: index -1 is outside [0, 10)");
  CHECK(message_of([&] { vocabulary.decode(tensor({1.0})); }) == "decode: indices must be int64, got float32");
  CHECK(message_of([] { data::CharVocabulary(""); }) == "CharVocabulary: the text is empty");
}

TEST_CASE("what is not UTF-8 is refused") {
  const std::string cases[] = {"\x80",
                               "\xc3",
                               "\xc3(",
                               "\xc0\xaf",
                               "\xe2\x82",
                               "\xe0\x80\xaf",
                               "\xed\xa0\x80",
                               "\xf0\x80\x80\xaf",
                               "\xf4\x90\x80\x80",
                               "\xf8\x88\x80\x80\x80",
                               "\xff"};
  for (const std::string& bad : cases) {
    CAPTURE(bad);
    CHECK(message_of([&] { data::CharVocabulary("ab" + bad); }) == "CharVocabulary: the text is not UTF-8 at byte 2");
  }
}

TEST_CASE("blocks pair each element with the next one") {
  const data::Dataset set = data::blocks(arange(12), 4);
  CHECK(set.x.shape() == Shape{2, 4});
  CHECK(numbers(set.x) == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(numbers(set.y) == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(data::blocks(arange(13), 4).size() == 3);
  const data::Dataset series = data::blocks(rand({5, 2}), 4);
  CHECK(series.x.shape() == Shape{1, 4, 2});
  CHECK(equal(series.x.narrow(1, 1, 3), series.y.narrow(1, 0, 3)));

  Generator generator(1);
  const data::Dataset random = data::random_blocks(arange(7), 200, 5, &generator);
  CHECK(random.x.shape() == Shape{200, 5});
  CHECK(equal(random.x + 1.0, random.y));
  CHECK(equal(random.x - random.x.narrow(1, 0, 1), arange(5).expand({200, 5})));
  const auto starts = numbers(random.x.select(1, 0));
  CHECK(std::set<double>(starts.begin(), starts.end()) == std::set<double>{0, 1});

  const auto [first, rest] = data::split_sequence(arange(10), 0.75);
  CHECK(numbers(first) == numbers(arange(8)));
  CHECK(numbers(rest) == std::vector<double>{8, 9});

  CHECK(message_of([] { data::blocks(arange(4), 4); }) ==
        "blocks: a block of 4 and its next element don't fit into (4,)");
  CHECK(message_of([] { data::blocks(arange(4), 0); }) == "blocks: the length must be positive: 0");
  CHECK(message_of([] { data::random_blocks(arange(4), 2, 4); }) ==
        "random_blocks: a block of 4 and its next element don't fit into (4,)");
  CHECK(message_of([] { data::random_blocks(arange(4), 0, 2); }) ==
        "random_blocks: the number of blocks must be positive: 0");
  CHECK(message_of([] { data::split_sequence(arange(4), 1); }) ==
        "split_sequence: the fraction must be between 0 and 1: 1");
  CHECK(message_of([] { data::split_sequence(arange(4), 0.01); }) ==
        "split_sequence: a part would be empty: fraction 0.01 of (4,)");
}

TEST_CASE("read_text reads a whole file") {
  const TemporaryDirectory directory;
  CHECK(data::read_text(directory.write("a.txt", "Call me\r\nIshmael.")) == "Call me\r\nIshmael.");
  CHECK(data::read_text(directory.write("empty.txt", "")).empty());
  CHECK(message_of([] { data::read_text("/no/such/file"); }) ==
        "read_text: /no/such/file: cannot be opened: No such file or directory");
  const std::string binary = directory.write("b", "ab\0c"s);
  CHECK(message_of([&] { data::read_text(binary); }) == "read_text: " + binary + ": is not text: byte 2 is NUL");
}
