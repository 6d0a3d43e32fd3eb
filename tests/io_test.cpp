#include "gradus/io.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <fmt/format.h>
#include <unistd.h>

#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "io/pickle.hpp"
#include "messages.hpp"
#include "states.hpp"
#include "temporary.hpp"

using namespace gradus;
using namespace std::string_literals;
using tests::message_of;
using tests::read_file;
using tests::same;
using tests::TemporaryDirectory;

namespace {

using Tensors = std::map<std::string, Tensor>;

const std::string reference_path = GRADUS_SOURCE_DIR "/tests/data/reference.safetensors";

// What tools/reference/safetensors.py has written.
Tensors reference_tensors() {
  return {
      {"layer.weight", tensor({{0.5, -1.25, 3e38}, {1e-45, std::numeric_limits<double>::infinity(), -0.0}})},
      {"layer.bias", tensor({1.0 / 3, -2.5}, {.dtype = float64})},
      {"steps", tensor(-(std::int64_t{1} << 62))},
      {"mask", tensor({{true}, {false}, {true}})},
      {"nothing", zeros({0, 4})},
      {"größe \"x\"", tensor({7})},
  };
}

std::string length_of(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xff);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_of(header.size()) + header + std::string(data_bytes, '\0');
}

std::size_t files_in(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

}  // namespace

TEST_CASE("a file is the published format's, byte for byte, in both directions") {
  const Tensors tensors = load(reference_path);
  CHECK(same(tensors, reference_tensors()));
  CHECK(std::signbit(tensors.at("layer.weight")[1][2].item()));
  const std::map<std::string, std::string> metadata{{"epoch", "3"}, {"note", "a \"text\"\n"}};
  CHECK(load_metadata(reference_path) == metadata);

  const TemporaryDirectory directory;
  const std::string path = directory.path("ours.safetensors");
  save(reference_tensors(), path, {.metadata = metadata});
  CHECK(read_file(path) == read_file(reference_path));
}

TEST_CASE("what is loaded is what was saved, whatever its layout and history") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("x.safetensors");
  const Tensor w = randn({3, 5}, {.dtype = float64, .requires_grad = true});
  const Tensor big = randn({300000});
  const Tensors tensors{{"w", w},
                        {"t", w.t()},
                        {"column", w.slice(1, 1, 5, 2)},
                        {"product", w * w},
                        {"", tensor({1, 2})},
                        {"expanded", tensor({1.5F}).expand({4, 3})},
                        {"big", big},
                        {"scalar", tensor(true)}};
  save(tensors, path);
  const Tensors loaded = load(path);
  CHECK(same(loaded, tensors));
  for (const auto& [name, value] : loaded) {
    CHECK(value.is_contiguous());
    CHECK_FALSE(value.requires_grad());
  }
  save({}, path);
  CHECK(load(path).empty());
  CHECK(load_metadata(path).empty());
}

TEST_CASE("the data is aligned in the file") {
  const TemporaryDirectory directory;
  for (const char* name : {"a", "ab", "abc", "abcdefgh"}) {
    const std::string path = directory.path(name);
    save({{name, tensor({1.0, 2.0}, {.dtype = float64})}, {"0", tensor({true})}}, path);
    const std::string content = read_file(path);
    CHECK((content.size() - 17) % 8 == 0);
    CHECK(same(load(path), Tensors{{name, tensor({1.0, 2.0}, {.dtype = float64})}, {"0", tensor({true})}}));
  }
}

TEST_CASE("an optimizer and its schedule resume from files bit for bit") {
  const TemporaryDirectory directory;
  Tensor p = tensor({1.0, 2.0, 3.0}, {.dtype = float64, .requires_grad = true});
  const auto run = [](Tensor& w, optim::Optimizer& optimizer, optim::Schedule& schedule) {
    for (int i = 0; i < 5; ++i) {
      optimizer.zero_grad();
      sum(square(w) * w).backward();
      optimizer.step();
      schedule.step();
    }
  };
  optim::Adam optimizer({p}, {.lr = 0.1});
  optim::OneCycleLR schedule(optimizer, {.max_lr = 0.5, .total_steps = 20});
  run(p, optimizer, schedule);
  save({{"p", p}}, directory.path("p"));
  save(optimizer.state_dict(), directory.path("optimizer"));
  save(schedule.state_dict(), directory.path("schedule"));
  run(p, optimizer, schedule);

  Tensor q = load(directory.path("p")).at("p").set_requires_grad();
  optim::Adam resumed({q}, {.lr = 0.1});
  optim::OneCycleLR resumed_schedule(resumed, {.max_lr = 0.5, .total_steps = 20});
  resumed.load_state_dict(load(directory.path("optimizer")));
  resumed_schedule.load_state_dict(load(directory.path("schedule")));
  run(q, resumed, resumed_schedule);
  CHECK(equal(p.detach(), q.detach()));
}

TEST_CASE("saving replaces a file as a whole, or leaves it as it was") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("x.safetensors");
  save({{"x", tensor({1, 2})}}, path);
  save({{"x", tensor({3})}}, path);
  CHECK(equal(load(path).at("x"), tensor({3})));
  CHECK(message_of([&] { save({{"x", tensor({4})}, {"y", Tensor()}}, path); }) == "save: y is undefined");
  CHECK(message_of([&] {
          save({{"__metadata__", tensor({4})}}, path);
        }) == "save: a tensor cannot be named __metadata__");
  CHECK(message_of([&] {
          save({{"\xff", tensor({4})}}, path);
        }) == "save: a name or text of the metadata is not UTF-8");
  CHECK(message_of([&] {
          save({}, path, {.metadata = {{"a", "\xc3"}}});
        }) == "save: a name or text of the metadata is not UTF-8");
  CHECK(equal(load(path).at("x"), tensor({3})));
  CHECK(files_in(directory.path("")) == 1);
  CHECK(message_of([&] { save({}, directory.path("none/x")); }) ==
        "save: " + directory.path("none/x") + ": cannot be written: No such file or directory");
}

TEST_CASE("a file that breaks a rule of the format is refused") {
  const TemporaryDirectory directory;
  const auto error = [&](const std::string& content) {
    const std::string path = directory.write("bad", content);
    const std::string message = message_of([&] { load(path); });
    const std::string start = "load: " + path + ": ";
    CHECK(message.find('\n') == std::string::npos);
    return message.starts_with(start) ? message.substr(start.size()) : message;
  };
  const auto error_of_header = [&](const std::string& header, std::size_t data_bytes) {
    CAPTURE(header);
    return error(file_of(header, data_bytes));
  };
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"x":)" + entry(dtype, shape, offsets) + "}";
  };
  const auto two = [&](const std::string& first, const std::string& second) {
    return R"({"x":)" + entry("F32", "[2]", first) + R"(,"y":)" + entry("F32", "[2]", second) + "}";
  };
  REQUIRE(error_of_header(one("F32", "[2]", "[0,8]"), 8) == "");
  REQUIRE(error_of_header(two("[8,16]", "[0,8]"), 16) == "");
  REQUIRE(error_of_header(one("F32", "[2]", "[0,8]") + "   ", 8) == "");

  // Lengths.
  CHECK(error("") == "has 0 bytes, too few for a safetensors file");
  CHECK(error("abcdefg") == "has 7 bytes, too few for a safetensors file");
  CHECK(error(length_of(3) + "{}") == "the header should have 3 bytes, of the 2 that follow");
  CHECK(error(length_of(~std::uint64_t{0}) + "{}") ==
        "the header should have 18446744073709551615 bytes, of the 2 that follow");
  CHECK(error(length_of(100'000'001) + std::string(100'000'001, ' ')) ==
        "the header should have 100000001 bytes, of the 100000001 that follow");

  // JSON.
  CHECK(error(length_of(0)) == "the header is not a JSON object");
  CHECK(error_of_header("[1]", 0) == "the header is not a JSON object");
  CHECK(error_of_header(" {}", 0) == "the header is not a JSON object");
  CHECK(error_of_header("{", 0) == "the header is not JSON, at byte 2");
  CHECK(error_of_header("{}{}", 0) == "the header is not JSON, at byte 3");
  CHECK(error_of_header("{\"\xff\":1}", 0) == "the header is not JSON, at byte 3");
  CHECK(error_of_header(R"({"x":)" + std::string(1000000, '['), 0) == "the header is nested too deeply");
  CHECK(error_of_header(R"({"x":{"a":[{)", 0) == "the header is nested too deeply");
  CHECK(error_of_header(R"({"x":1e999})", 0) == "the header has a number out of range");

  CHECK(error_of_header(std::string("{}\0", 3), 0) == "the header is not JSON, at byte 3");
  CHECK(error_of_header(one("F32", "[2]", "[0,8]") + std::string("\0{", 2), 8) == "the header is not JSON, at byte 55");
  CHECK(error_of_header(one("F32", "[" + std::string(200, '1') + "]", "[0,4]"), 4) ==
        "\"x\": shape must be a list of integers of at least 0");
  std::string many = "1";
  for (int i = 0; i < 100; ++i) many += ",1";
  CHECK(error_of_header(one("F32", "[" + many + "]", "[0,4]"), 4) == "a list has more than 64 entries");
  CHECK(error_of_header(R"({"x":[)" + many + "]}", 4) == "a list has more than 64 entries");

  // Names.
  CHECK(error_of_header(R"({"x":)" + entry("F32", "[2]", "[0,8]") + R"(,"x":)" + entry("F32", "[2]", "[0,8]") + "}",
                        8) == "\"x\" is there twice");
  CHECK(error_of_header(R"({"x":{"dtype":"F32","dtype":"F64","shape":[],"data_offsets":[0,4]}})", 4) ==
        "\"dtype\" is there twice");
  CHECK(error_of_header(R"({"a\nb":1})", 0) == R"("a\nb" must have dtype, shape and data_offsets, and nothing else)");
  CHECK(error_of_header(R"({")" + std::string(200, 'n') + R"(":1})", 0) ==
        "\"" + std::string(100, 'n') + "\"... must have dtype, shape and data_offsets, and nothing else");

  // Metadata.
  CHECK(error_of_header(R"({"__metadata__":[]})", 0) == "__metadata__ must be an object");
  CHECK(error_of_header(R"({"__metadata__":{"a":1}})", 0) ==
        "__metadata__ must have texts only, \"a\" is something else");

  // Entries.
  const std::string three = "\"x\" must have dtype, shape and data_offsets, and nothing else";
  CHECK(error_of_header(R"({"x":[]})", 0) == three);
  CHECK(error_of_header(R"({"x":{"dtype":"F32","shape":[]}})", 4) == three);
  CHECK(error_of_header(R"({"x":{"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1}})", 4) == three);
  CHECK(error_of_header(R"({"x":{"dtype":32,"shape":[],"data_offsets":[0,4]}})", 4) ==
        "\"x\": the dtype must be a text");
  CHECK(error_of_header(one("F16", "[2]", "[0,4]"), 4) ==
        "\"x\": the dtype must be F32, F64, I64 or BOOL, got \"F16\"");
  for (const char* shape :
       {"[-1]", "[2.0]", "[\"2\"]", "[null]", "2", "{\"a\":2}", "[true]", "[18446744073709551616]"}) {
    CHECK(error_of_header(one("F32", shape, "[0,8]"), 8) == "\"x\": shape must be a list of integers of at least 0");
  }
  for (const char* offsets : {"[8,0]", "[0]", "[0,4,8]", "[]"}) {
    CHECK(error_of_header(one("F32", "[2]", offsets), 8) ==
          "\"x\": data_offsets must be a begin and an end not before it");
  }
  CHECK(error_of_header(one("F32", "[2]", "[-8,0]"), 8) ==
        "\"x\": data_offsets must be a list of integers of at least 0");
  CHECK(error_of_header(one("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4) == "\"x\": at most 8 dims are supported, got 9");
  CHECK(error_of_header(one("F32", "[18446744073709551615]", "[0,8]"), 8) == "\"x\": the shape is too large");
  CHECK(error_of_header(one("F32", "[4611686018427387904]", "[0,0]"), 0) == "\"x\": the shape is too large");
  CHECK(error_of_header(one("F64", "[4294967296,4294967296,0]", "[0,0]"), 0) == "\"x\": the shape is too large");
  CHECK(error_of_header(one("F32", "[3]", "[0,8]"), 8) == "\"x\": float32 (3,) needs 12 bytes, data_offsets give 8");
  CHECK(error_of_header(one("F64", "[]", "[0,4]"), 4) == "\"x\": float64 () needs 8 bytes, data_offsets give 4");

  // Layout.
  CHECK(error_of_header(one("F32", "[2]", "[0,8]"), 7) == "the tensors have 8 bytes, the file has 7 for them");
  CHECK(error_of_header(one("F32", "[2]", "[0,8]"), 9) == "the tensors have 8 bytes, the file has 9 for them");
  CHECK(error_of_header("{}", 1) == "the tensors have 0 bytes, the file has 1 for them");
  CHECK(error_of_header(one("F32", "[2]", "[4,12]"), 12) ==
        "\"x\" begins at byte 4 of the data, after a hole: the one before ends at 0");
  CHECK(error_of_header(two("[0,8]", "[4,12]"), 12) ==
        "\"y\" begins at byte 4 of the data, where others are: the one before ends at 8");
  CHECK(error_of_header(two("[0,8]", "[0,8]"), 8) ==
        "\"y\" begins at byte 0 of the data, where others are: the one before ends at 8");
  CHECK(error_of_header(two("[0,8]", "[12,20]"), 20) ==
        "\"y\" begins at byte 12 of the data, after a hole: the one before ends at 8");
  CHECK(error_of_header(one("F32", "[2]", "[18446744073709551608,18446744073709551615]"), 8) ==
        "\"x\": float32 (2,) needs 8 bytes, data_offsets give 7");

  // Values.
  CHECK(error(file_of(one("BOOL", "[2]", "[0,2]"), 1) + "\x02") == "\"x\" has a BOOL that is neither 0 nor 1 but 2");
}

TEST_CASE("no file cut short or with a flipped byte does harm") {
  const TemporaryDirectory directory;
  const std::string good = read_file(reference_path);
  const Tensors expected = reference_tensors();
  for (std::size_t length = 0; length < good.size(); ++length) {
    CHECK(message_of([&] { load(directory.write("cut", good.substr(0, length))); }).starts_with("load: "));
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int bit : {0, 3, 6, 7}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const std::string path = directory.write("bad", bad);
      try {
        for (const auto& [name, value] : load(path)) CHECK(value.defined());
      } catch (const Error& e) {
        CHECK(std::string(e.what()).starts_with("load: "));
      }
    }
  }
}

TEST_CASE("what is not a regular file is refused") {
  const TemporaryDirectory directory;
  const std::string missing = directory.path("missing"), folder = directory.path("");
  CHECK(message_of([&] { load(missing); }) == "load: " + missing + ": cannot be read");
  CHECK(message_of([&] { load(folder); }).starts_with("load: " + folder + ": "));
  CHECK(message_of([&] { load_metadata(missing); }) == "load: " + missing + ": cannot be read");
}

TEST_CASE("a temporary file that somebody has left is in nobody's way, and a link is replaced") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("x");
  for (int i = 0; i < 3000; ++i) directory.write(fmt::format("x.{}-{}.tmp", getpid(), i), "");
  save({{"x", tensor({1})}}, path);
  CHECK(equal(load(path).at("x"), tensor({1})));

  const std::string link = directory.path("link");
  std::filesystem::create_symlink(path, link);
  save({{"x", tensor({2})}}, link);
  CHECK_FALSE(std::filesystem::is_symlink(link));
  CHECK(equal(load(path).at("x"), tensor({1})));
}

// --- Files of torch.save ---------------------------------------------------------------------------------------------

namespace {

const std::string pt = GRADUS_SOURCE_DIR "/tests/data/pt/";

// The pickle of a state dict of one float32 tensor "w", with the middle given: "storage" ends in 'Q'.
std::string pickle_with(const std::string& offset, const std::string& sizes, const std::string& strides,
                        const std::string& storage_size = "K\x06") {
  return "\x80\x02}(X\x01" + std::string(3, '\0') + "wctorch._utils\n_rebuild_tensor_v2\n((X\x07" +
         std::string(3, '\0') + "storagectorch\nFloatStorage\nX\x01" + std::string(3, '\0') + "0X\x03" +
         std::string(3, '\0') + "cpu" + storage_size + "tQ" + offset + sizes + strides + "\x89}tRu.";
}

std::string refusal_of(const std::string& pickle) {
  return message_of([&] { torch_file::read_state_dict("here", pickle); });
}

// A file that is either refused with an Error, or broken where it does not matter.
bool refused_or_same(const std::string& path, const Tensors& tensors) {
  try {
    return same(load_pt(path), tensors);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

TEST_CASE("a state dict that PyTorch has saved is read, whatever its types and strides") {
  const Tensors tensors = load_pt(pt + "reference.pt");
  const Tensor base = arange(12, {.dtype = float64}).reshape({3, 4});
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(same(tensors, Tensors{{"0.weight", tensor({{0.0F, 0.25F}, {0.5F, 0.75F}, {1.0F, 1.25F}})},
                              {"0.bias", tensor({1.0F, 1.25F, 1.5F})},
                              {"1.weight", tensor({2.0F, 2.25F, 2.5F})},
                              {"1.bias", tensor({3.0F, 3.25F, 3.5F})},
                              {"1.running_mean", zeros({3})},
                              {"1.running_var", ones({3})},
                              {"1.num_batches_tracked", tensor(0)},
                              {"base", base},
                              {"transposed", base.t()},
                              {"column", base.select(1, 1)},
                              {"corner", base.slice(0, 1).slice(1, 2)},
                              {"expanded", tensor({{1.5F, -2.0F}, {1.5F, -2.0F}, {1.5F, -2.0F}})},
                              {"empty", zeros({0, 4})},
                              {"half", tensor({1.0, -2.5, 0x1p-24, 65504.0, inf, -0.0}, {.dtype = float32})},
                              {"bfloat", tensor({1.0, -2.5, 0x1.c4p127, -inf}, {.dtype = float32})},
                              {"int8", tensor({-128, 127})},
                              {"uint8", tensor({0, 255})},
                              {"int16", tensor({-32768, 32767})},
                              {"int32", tensor({-(std::int64_t{1} << 31), (std::int64_t{1} << 31) - 1})},
                              {"int64", tensor({std::numeric_limits<std::int64_t>::min(), std::int64_t{1} << 62})},
                              {"mask", tensor({{true}, {false}})},
                              {"parameter", tensor({0.5F})},
                              {"größe", tensor(7.0F)}}));
  CHECK(std::signbit(tensors.at("half")[5].item()));
  CHECK_FALSE(tensors.at("parameter").requires_grad());

  // What shared memory there does so here.
  tensors.at("base").data<double>()[1] = 100;
  CHECK(tensors.at("transposed")[1][0].item() == 100);
  CHECK(tensors.at("column")[0].item() == 100);

  nn::Sequential model(nn::Linear(2, 3), nn::BatchNorm1d(3));
  CHECK(model.load_state_dict(tensors, {.strict = false}).missing_keys.empty());
  CHECK(equal(model.state_dict().at("1.bias"), tensor({3.0F, 3.25F, 3.5F})));
  const TemporaryDirectory directory;
  save(tensors, directory.path("x.safetensors"));
  CHECK(same(load(directory.path("x.safetensors")), tensors));
}

TEST_CASE("a zip file whose numbers have 64 bits is read") {
  const std::string content = read_file(pt + "zip64.pt");
  CHECK(content.find("PK\6\6") != std::string::npos);
  CHECK(same(load_pt(pt + "zip64.pt"), Tensors{{"weight", tensor({0.5F, 2.0F})}}));
  const TemporaryDirectory directory;
  for (std::size_t at = 0; at < content.size(); ++at) {
    std::string broken = content;
    broken[at] = static_cast<char>(broken[at] ^ (0x11 << at % 4));
    CAPTURE(at);
    CHECK(refused_or_same(directory.write("x.pt", broken), {{"weight", tensor({0.5F, 2.0F})}}));
  }
}

TEST_CASE("files of torch.save with anything else than tensors are refused, and say why") {
  const auto refused = [](const std::string& name) { return message_of([&] { load_pt(pt + name); }); };
  CHECK(refused("module.pt") == "load_pt: " + pt +
                                    "module.pt: \"torch.nn.modules.linear.Linear\" is needed to read it, "
                                    "only plain tensors are read");
  CHECK(refused("checkpoint.pt") ==
        "load_pt: " + pt + "checkpoint.pt: \"epoch\" is an int, not a tensor: save model.state_dict() alone");
  CHECK(refused("legacy.pt") ==
        "load_pt: " + pt + "legacy.pt: is not a zip file, as torch.save writes since PyTorch 1.6");
  CHECK(refused("compressed.pt") == "load_pt: " + pt +
                                        "compressed.pt: \"small/data.pkl\" is compressed or encrypted, which "
                                        "torch.save does not do");
  CHECK(refused("none.pt") == "load_pt: " + pt + "none.pt: cannot be read");
  CHECK(refused("") == "load_pt: " + pt + ": cannot be read");
}

TEST_CASE("a pickle cannot make a tensor reach out of its storage, or run anything") {
  CHECK(refusal_of(pickle_with("K\x01", "K\x05\x85", "K\x01\x85")) == "");
  CHECK(refusal_of(pickle_with("K\x02", "K\x05\x85", "K\x01\x85")) ==
        "here: \"w\" reaches to element 6 of a storage of 6");
  CHECK(refusal_of(pickle_with("K\x07", "K\0\x85"s, "K\x01\x85")) ==
        "here: \"w\" reaches to element 7 of a storage of 6");
  CHECK(refusal_of(pickle_with("J\xff\xff\xff\xff", "K\x05\x85", "K\x01\x85")) ==
        "here: \"w\" has a negative number where a size must be");
  CHECK(refusal_of(pickle_with("K\x01", "K\x05\x85", "J\xff\xff\xff\xff\x85")) ==
        "here: \"w\" has a negative number where a size must be");
  CHECK(refusal_of(pickle_with("K\x01", "K\x05\x85", "K\x01K\x01\x86")) ==
        "here: \"w\" has another number of strides than of sizes");
  CHECK(refusal_of(pickle_with("K\x01", "K\x05\x85", "N")) == "here: \"w\" has None where sizes must be");
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  CHECK(refusal_of(pickle_with("K\0"s, huge + huge + "\x86", "K\0K\0\x86"s)) == "here: \"w\" is too large");
  CHECK(refusal_of(pickle_with("K\0"s, "K\x03\x85", huge + "\x85")) == "here: \"w\" is too large");
  CHECK(refusal_of("\x80\x02"
                   "cos\nsystem\nX\x04\0\0\0true\x85R."s) ==
        "here: \"os.system\" is needed to read it, only plain tensors are read");
  CHECK(refusal_of("\x80\x02K\x01.") == "here: is an int, not a dict of tensors: save model.state_dict()");
  CHECK(refusal_of("\x80\x02}.K") == "here: the pickle has more than one object");
  CHECK(refusal_of("\x80\x02"
                   "a.") == "here: the pickle takes more than there is");
  CHECK(refusal_of("\x80\x02(0.") == "here: the pickle has opcode 48, which plain tensors do not need");
  CHECK(refusal_of("\x80\x02h\x05.") == "here: the pickle asks for object 5, which it has not put anywhere");
  CHECK(refusal_of("\x80\x02}K\x01K\x02s.") == "here: has a key that is an int, not a name");
  CHECK(refusal_of("\x80\x02X\xff\xff\xff\x7f") == "here: the pickle ended early");
  CHECK(refusal_of("") == "here: the pickle ended early");
  // Nested a hundred thousand times, and lists that hold themselves.
  CHECK(refusal_of(")" + std::string(100000, '\x85') + ".") ==
        "here: is a tuple, not a dict of tensors: save model.state_dict()");
  CHECK(refusal_of("]q\0h\0h\0aa."s) == "here: is a list, not a dict of tensors: save model.state_dict()");
}

TEST_CASE("a broken file of torch.save is refused, wherever it is broken") {
  const TemporaryDirectory directory;
  const std::string whole = read_file(pt + "reference.pt");
  const Tensors tensors = load_pt(pt + "reference.pt");
  for (std::size_t size = 0; size < whole.size(); size += size < 6000 ? 61 : 1) {
    CAPTURE(size);
    CHECK(message_of([&] { load_pt(directory.write("x.pt", whole.substr(0, size))); }) != "");
  }
  const std::size_t directory_begin = whole.find("PK\1\2");
  for (std::size_t at = 0; at < whole.size(); at += at < directory_begin ? 7 : 1) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ (1 << at % 8));
    CAPTURE(at);
    CHECK(refused_or_same(directory.write("x.pt", broken), tensors));
  }

  // The pickle alone, where no checksum protects it.
  const std::size_t begin = whole.find(
      "\x80\x02"
      "c");
  const std::string pickle = whole.substr(begin, whole.find("susb.", begin) + 5 - begin);
  for (std::size_t at = 0; at < pickle.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string broken = pickle;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      refusal_of(broken);
    }
  }
}
