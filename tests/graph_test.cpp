// The tape as Graphviz.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/graph.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "messages.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::contains;
using tests::message_of;

namespace {

std::string id_of(const Tensor& result) { return "op" + std::to_string(result.grad_fn().id()); }

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Whether Graphviz can read it; true if that is not installed.
bool is_dot(const std::string& text) {
  if (std::system("dot -V > /dev/null 2>&1") != 0) return true;
  const tests::TemporaryDirectory directory;
  const std::string path = directory.write("tape.dot", text);
  return std::system(("dot -Tsvg " + path + " > /dev/null").c_str()) == 0;
}

}  // namespace

TEST_CASE("a graph shows ops, leaves and edges in the direction of the forward pass") {
  const Tensor x = ones({2, 3}, {.requires_grad = true});
  const Tensor w = ones({3, 4}, {.dtype = float32, .requires_grad = true});
  const Tensor h = matmul(x, w);
  const Tensor y = exp(h);
  const Tensor loss = sum(y * h);
  const std::string dot = graph_to_dot(loss, {{"x", x}, {"hidden", h}});
  CAPTURE(dot);
  CHECK(dot.starts_with("digraph tape {\n"));
  CHECK(contains(dot, "  leaf0 [label=\"x\\n(2, 3) float32\", shape=box"));
  CHECK(contains(dot, "  leaf1 [label=\"(3, 4) float32\", shape=box"));
  CHECK(contains(dot, "  " + id_of(h) + " [label=\"matmul: hidden\\n(2, 4) float32\"];"));
  CHECK(contains(dot, "  " + id_of(loss) + " [label=\"sum\\n() float32\", penwidth=2];"));
  CHECK(contains(dot, "  leaf0 -> " + id_of(h) + " [label=\"0\"];"));
  CHECK(contains(dot, "  leaf1 -> " + id_of(h) + " [label=\"1\"];"));
  CHECK(contains(dot, "  " + id_of(h) + " -> " + id_of(y) + ";"));
  CHECK(lines_with(dot, " -> ") == 6);
  CHECK(is_dot(dot));
}

TEST_CASE("a leaf that is used twice is drawn once, and a leaf alone is a graph") {
  const Tensor x = ones({2}, {.dtype = float64, .requires_grad = true});
  const std::string dot = graph_to_dot(x * x + x, {{"x", x}});
  CHECK(lines_with(dot, "shape=box") == 1);
  CHECK(lines_with(dot, "leaf0 -> ") == 3);
  const std::string alone = graph_to_dot(x, {{"x", x}});
  CHECK(contains(alone, "x\\n(2,) float64"));
  CHECK(is_dot(alone));
}

TEST_CASE("names are escaped") {
  const Tensor x = ones({2}, {.requires_grad = true});
  const std::string dot = graph_to_dot(exp(x), {{"a \"quoted\\name\" <b>\nnext", x}});
  CHECK(contains(dot, "label=\"a \\\"quoted\\\\name\\\" <b>\\nnext\\n(2,) float32\""));
  CHECK(is_dot(dot));
}

TEST_CASE("parameters of a model have their names") {
  nn::Sequential model(nn::Linear(2, 3), nn::ReLU(), nn::Linear(3, 1));
  const std::string dot = graph_to_dot(model(ones({4, 2})).sum(), model.named_parameters());
  for (const auto& [name, parameter] : model.named_parameters()) CHECK(contains(dot, "\"" + name + "\\n("));
  CHECK(is_dot(dot));
}

TEST_CASE("of a large graph the newest ops are drawn and the others counted") {
  const Tensor x = ones({2}, {.requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < 2000; ++i) y = y + x;
  const std::string dot = graph_to_dot(y, {{"x", x}}, {.max_nodes = 10});
  CHECK(contains(dot, "older [label=\"1990 older ops\", shape=box, style=dashed];"));
  CHECK(lines_with(dot, "label=\"add") == 10);
  CHECK(lines_with(dot, "older -> ") == 1);
  CHECK(contains(dot, " [label=\"0\", style=dashed];"));
  CHECK(is_dot(dot));
  CHECK(lines_with(graph_to_dot(y), "label=\"add") == 500);
}

TEST_CASE("a graph that a backward pass has freed says so") {
  const Tensor x = ones({2}, {.requires_grad = true});
  const Tensor y = sum(exp(x));
  y.backward();
  CHECK(contains(graph_to_dot(y), "[label=\"sum\\n() float32\\nfreed\", penwidth=2];"));
}

TEST_CASE("a tensor without history has no graph") {
  CHECK(message_of([] {
          graph_to_dot(ones({2, 3}));
        }) == "graph_to_dot: the tensor of shape (2, 3) does not depend on any tensor that requires a gradient");
  CHECK(message_of([] { graph_to_dot(ones({2}, {.requires_grad = true}), {}, {.max_nodes = 0}); }) ==
        "graph_to_dot: max_nodes must be positive, got 0");
}
