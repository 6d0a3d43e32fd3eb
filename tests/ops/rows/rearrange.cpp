#include <cstdint>

#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// Several outputs as one tensor that tells them apart: out[0] + 2 out[1] + 3 out[2] ... of flattened outputs, in a row.
Tensor as_one(const Tensors& outputs) {
  Tensors flat;
  double factor = 1;
  for (const Tensor& out : outputs) flat.push_back(reshape(out * factor++, {-1}));
  return flat.empty() ? zeros({0}) : cat(flat);
}

std::vector<std::int64_t> integers(const Args& args, const std::string& name) {
  const Shape list = args.shape(name);
  return {list.begin(), list.end()};
}

PadOptions pad_options(const Args& a) {
  return {.mode = static_cast<PadMode>(a.integer("mode", 0)), .value = a.number("value", 0)};
}

std::vector<Row> triangle_rows() {
  const std::vector<Case> cases = {{{normal({3, 3})}},
                                   {{normal({3, 4})}, {{"diagonal", {1}}}},
                                   {{normal({4, 2})}, {{"diagonal", {-2}}}},
                                   {{normal({2, 3, 3})}, {{"diagonal", {-1}}}},
                                   {{normal({2, 3})}, {{"diagonal", {7}}}},
                                   {{normal({2, 3})}, {{"diagonal", {-7}}}},
                                   {{normal({0, 3})}}};
  return {
      {.name = "tril",
       .call = [](const Tensors& x, const Args& a) { return tril(x[0], a.integer("diagonal", 0)); },
       .cases = cases,
       .bad_calls = {{[] { tril(zeros({3})); }, "tril: a matrix or a batch of them is needed, got shape (3,)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].tril(a.integer("diagonal", 0)); }},
      {.name = "triu",
       .call = [](const Tensors& x, const Args& a) { return triu(x[0], a.integer("diagonal", 0)); },
       .cases = cases,
       .bad_calls = {{[] { triu(zeros({3})); }, "triu: a matrix or a batch of them is needed, got shape (3,)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].triu(a.integer("diagonal", 0)); }},
      {.name = "diagonal",
       .call =
           [](const Tensors& x, const Args& a) {
             return diagonal(x[0], a.integer("offset", 0), a.integer("dim1", 0), a.integer("dim2", 1));
           },
       .cases = {{{normal({3, 3})}},
                 {{normal({3, 4})}, {{"offset", {1}}}},
                 {{normal({3, 4})}, {{"offset", {-2}}}},
                 {{normal({2, 3, 4})}, {{"dim1", {-1}}, {"dim2", {0}}, {"offset", {1}}}},
                 {{normal({2, 3, 3})}, {{"dim1", {1}}, {"dim2", {2}}}}},
       .bad_calls = {{[] { diagonal(zeros({3})); }, "diagonal: at least two dims are needed, got shape (3,)"},
                     {[] {
                        diagonal(zeros({3, 3}), 0, 1, -1);
                      },
                      "diagonal: dim1 and dim2 must differ, got 1 and -1"}},
       .method =
           [](const Tensors& x, const Args& a) {
             return x[0].diagonal(a.integer("offset", 0), a.integer("dim1", 0), a.integer("dim2", 1));
           }},
      {.name = "diag",
       .call = [](const Tensors& x, const Args& a) { return diag(x[0], a.integer("diagonal", 0)); },
       .cases = {{{normal({3})}},
                 {{normal({2})}, {{"diagonal", {2}}}},
                 {{normal({2})}, {{"diagonal", {-1}}}},
                 {{normal({3, 4})}},
                 {{normal({3, 4})}, {{"diagonal", {1}}}}},
       .bad_calls = {{[] { diag(zeros({})); }, "diag: one or two dims are needed, got shape ()"}}},
  };
}

std::vector<Row> repeating_rows() {
  return {
      {.name = "flip",
       .call = [](const Tensors& x, const Args& a) { return flip(x[0], a.dims()); },
       .cases = {{{normal({4})}, {{"dims", {0}}}},
                 {{normal({2, 3, 4})}, {{"dims", {0, -1}}}},
                 {{normal({2, 3})}, {{"dims", {1}}}},
                 {{normal({3, 40})}, {{"dims", {0, 1}}}},
                 {{normal({0, 3})}, {{"dims", {0}}}}},
       .bad_calls = {{[] {
                        flip(zeros({2, 3}), {0, -2});
                      },
                      "flip: a dim is named twice: (0, -2)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].flip(a.dims()); }},
      {.name = "roll",
       .call = [](const Tensors& x, const Args& a) { return roll(x[0], Dims(a.shape("shifts")), a.dims()); },
       .cases = {{{normal({5})}, {{"shifts", {2}}, {"dims", {0}}}},
                 {{normal({2, 3})}, {{"shifts", {-1}}}},
                 {{normal({3, 4})}, {{"shifts", {1, -6}}, {"dims", {0, 1}}}},
                 {{normal({3, 4})}, {{"shifts", {3}}, {"dims", {0}}}},
                 {{normal({})}, {{"shifts", {3}}, {"dims", {0}}}},
                 {{normal({0, 4})}, {{"shifts", {1}}, {"dims", {0}}}}},
       .bad_calls = {{[] {
                        roll(zeros({2, 3}), {1, 2});
                      },
                      "roll: without dims one shift is needed, got (1, 2)"},
                     {[] {
                        roll(zeros({2, 3}), {1, 2}, 0);
                      },
                      "roll: (1, 2) shifts for the dims (0,)"},
                     {[] { roll(zeros({}), 1, 7); }, "roll: dim must be in [-1, 0] for a tensor of 0 dims, got 7"}}},
      {.name = "repeat",
       .call = [](const Tensors& x, const Args& a) { return repeat(x[0], a.shape("repeats")); },
       .cases = {{{normal({3})}, {{"repeats", {2}}}},
                 {{normal({2, 3})}, {{"repeats", {2, 3}}}},
                 {{normal({2, 1})}, {{"repeats", {3, 1, 2}}}},
                 {{normal({2, 3})}, {{"repeats", {1, 1}}}},
                 {{normal({2, 3})}, {{"repeats", {0, 2}}}},
                 {{normal({})}, {{"repeats", {2, 2}}}}},
       .bad_calls = {{[] {
                        repeat(zeros({2, 3}), {2});
                      },
                      "repeat: (2,) repeats are too few for shape (2, 3)"},
                     {[] { repeat(zeros({2}), {-1}); }, "repeat: repeats must not be negative: (-1,)"},
                     {[] { repeat(zeros({2}), {INT64_MAX}); },
                      "repeat: 9223372036854775807 repeats are too many to count"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].repeat(a.shape("repeats")); }},
      {.name = "repeat_interleave",
       .call = [](const Tensors& x,
                  const Args& a) { return repeat_interleave(x[0], a.integer("repeats"), a.maybe_integer("dim")); },
       .cases = {{{normal({3})}, {{"repeats", {2}}}},
                 {{normal({2, 3})}, {{"repeats", {3}}}},
                 {{normal({2, 3})}, {{"repeats", {2}}, {"dim", {-1}}}},
                 {{normal({2, 3})}, {{"repeats", {1}}, {"dim", {0}}}},
                 {{normal({2, 3})}, {{"repeats", {0}}, {"dim", {0}}}},
                 {{normal({})}, {{"repeats", {2}}, {"dim", {0}}}}},
       .bad_calls = {{[] { repeat_interleave(zeros({2}), -1); },
                      "repeat_interleave: repeats must not be negative, got -1"},
                     {[] { repeat_interleave(zeros({}), 2, 5); },
                      "repeat_interleave: dim must be in [-1, 0] for a tensor of 0 dims, got 5"},
                     {[] { repeat_interleave(zeros({2}), INT64_MAX); },
                      "repeat_interleave: 9223372036854775807 repeats are too many to count"}}},
      {.name = "repeat_interleave:each",
       .call = [](const Tensors& x, const Args& a) { return repeat_interleave(x[0], x[1], a.maybe_integer("dim")); },
       .cases = {{{normal({3}), index({3}, 3)}},
                 {{normal({2, 3}), index({2}, 4)}, {{"dim", {0}}}},
                 {{normal({2, 3}), index({3}, 3)}, {{"dim", {-1}}}},
                 {{normal({2, 3}), index({1}, 3)}, {{"dim", {1}}}}},
       .bad_calls = {{[] {
                        repeat_interleave(zeros({3}), tensor({1, 2}));
                      },
                      "repeat_interleave: repeats of shape (2,) do not fit dim 0 of shape (3,)"},
                     {[] {
                        repeat_interleave(zeros({2}), tensor({1, -2}));
                      },
                      "repeat_interleave: repeats must not be negative, got -2"},
                     {[] {
                        repeat_interleave(zeros({2}), tensor(std::vector<std::int64_t>{INT64_MAX, INT64_MAX}));
                      },
                      "repeat_interleave: the repeats are too many to count"}}},
      {.name = "pad",
       .call = [](const Tensors& x, const Args& a) { return pad(x[0], a.shape("pad"), pad_options(a)); },
       .cases = {{{normal({3})}, {{"pad", {1, 2}}, {"value", {7}}}},
                 {{normal({2, 3})}, {{"pad", {1, 0, 0, 2}}}},
                 {{normal({4, 5})}, {{"pad", {-1, 2, 1, -2}}, {"value", {-1}}}},
                 {{normal({2, 5})}, {{"pad", {2, 3}}, {"mode", {1}}}},
                 {{normal({3, 4})}, {{"pad", {1, 0, 2, 1}}, {"mode", {1}}}},
                 {{normal({2, 3})}, {{"pad", {2, 4}}, {"mode", {2}}}},
                 {{normal({2, 3, 4})}, {{"pad", {1, 1, 2, 2}}, {"mode", {2}}}},
                 {{normal({2, 3})}, {{"pad", {3, 2}}, {"mode", {3}}}},
                 {{normal({2, 2, 3})}, {{"pad", {1, 2, 1, 0}}, {"mode", {3}}}},
                 {{normal({2, 3})}, {{"pad", {-3, 3, 2, -2}}}},
                 {{normal({2, 3})}, {{"pad", {}}}}},
       .bad_calls = {{[] {
                        pad(zeros({2, 3}), {1});
                      },
                      "pad: two numbers per dim are needed, from the last dim on, got (1,) for shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {-2, -2});
                      },
                      "pad: (-2, -2) cuts off more than there is of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {-4, 3});
                      },
                      "pad: (-4, 3) cuts off more than there is of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {3, -4});
                      },
                      "pad: (3, -4) cuts off more than there is of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {0, 0, INT64_MIN, 1});
                      },
                      "pad: (0, 0, -9223372036854775808, 1) cuts off more than there is of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {INT64_MAX, 0});
                      },
                      "pad: (9223372036854775807, 0) is too large for shape (2, 3)"},
                     {[] {
                        pad(zeros({3}), {INT64_MAX, 0}, {.mode = PadMode::replicate});
                      },
                      "pad: (9223372036854775807, 0) is too large for shape (3,)"},
                     {[] {
                        pad(zeros({2, 3}), {3, 0}, {.mode = PadMode::reflect});
                      },
                      "pad: reflect padding of (3, 0) does not fit dim 1 of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 3}), {0, 4}, {.mode = PadMode::circular});
                      },
                      "pad: circular padding of (0, 4) does not fit dim 1 of shape (2, 3)"},
                     {[] {
                        pad(zeros({2, 0}), {0, 1}, {.mode = PadMode::replicate});
                      },
                      "pad: replicate padding of (0, 1) does not fit dim 1 of shape (2, 0)"},
                     {[] {
                        pad(zeros({2, 3}), {-1, 0}, {.mode = PadMode::replicate});
                      },
                      "pad: only constant padding can be negative, got (-1, 0)"}}},
  };
}

std::vector<Row> splitting_rows() {
  return {
      {.name = "split",
       .call = [](const Tensors& x,
                  const Args& a) { return as_one(split(x[0], a.integer("size"), a.integer("dim", 0))); },
       .cases = {{{normal({5, 2})}, {{"size", {2}}}},
                 {{normal({2, 6})}, {{"size", {3}}, {"dim", {-1}}}},
                 {{normal({2, 3})}, {{"size", {9}}}}},
       .bad_calls = {{[] { split(zeros({2}), 0); }, "split: the size must be positive, got 0"},
                     {[] { split(zeros({}), 1); }, "split: a 0-d tensor has no dim to split"}},
       .method = [](const Tensors& x,
                    const Args& a) { return as_one(x[0].split(a.integer("size"), a.integer("dim", 0))); }},
      {.name = "split:sizes",
       .call = [](const Tensors& x,
                  const Args& a) { return as_one(split(x[0], integers(a, "sizes"), a.integer("dim", 0))); },
       .cases = {{{normal({5, 2})}, {{"sizes", {1, 4}}}}, {{normal({2, 6})}, {{"sizes", {3, 0, 1, 2}}, {"dim", {1}}}}},
       .bad_calls = {{[] {
                        split(zeros({5}), {2, 2});
                      },
                      "split: the sizes must add up to dim 0 of shape (5,), not to 4"},
                     {[] {
                        split(zeros({5}), {6, -1});
                      },
                      "split: a size must not be negative, got -1"},
                     {[] {
                        split(zeros({5}), {INT64_MAX, INT64_MAX, 7});
                      },
                      "split: the sizes are too large to add up, got 9223372036854775807"}}},
      {.name = "chunk",
       .call = [](const Tensors& x,
                  const Args& a) { return as_one(chunk(x[0], a.integer("chunks"), a.integer("dim", 0))); },
       .cases = {{{normal({5, 2})}, {{"chunks", {2}}}},
                 {{normal({2, 6})}, {{"chunks", {4}}, {"dim", {-1}}}},
                 {{normal({3})}, {{"chunks", {7}}}},
                 {{normal({3})}, {{"chunks", {0x1p62}}}}},
       .bad_calls = {{[] { chunk(zeros({2}), 0); }, "chunk: at least one chunk is needed, got 0"}},
       .method = [](const Tensors& x,
                    const Args& a) { return as_one(x[0].chunk(a.integer("chunks"), a.integer("dim", 0))); }},
      {.name = "unbind",
       .call = [](const Tensors& x, const Args& a) { return as_one(unbind(x[0], a.integer("dim", 0))); },
       .cases = {{{normal({3, 2})}}, {{normal({2, 3, 2})}, {{"dim", {-2}}}}, {{normal({4})}}},
       .bad_calls = {{[] { unbind(zeros({})); }, "unbind: a 0-d tensor has no dim to split"}},
       .method = [](const Tensors& x, const Args& a) { return as_one(x[0].unbind(a.integer("dim", 0))); }},
      {.name = "meshgrid",
       .call =
           [](const Tensors& x, const Args& a) {
             return as_one(meshgrid(x, {.indexing = static_cast<Indexing>(a.integer("xy", 0))}));
           },
       .cases = {{{normal({2}), normal({3})}},
                 {{normal({2}), normal({3})}, {{"xy", {1}}}},
                 {{normal({2}), normal({3}), normal({2})}, {{"xy", {1}}}},
                 {{normal({}), normal({3})}},
                 {{normal({3})}}},
       .bad_calls = {{[] { meshgrid({}); }, "meshgrid: at least one tensor is needed"},
                     {[] {
                        meshgrid({zeros({2, 2})});
                      },
                      "meshgrid: vectors are needed, got shape (2, 2)"},
                     {[] {
                        meshgrid({zeros({2}), tensor({1, 2})});
                      },
                      "meshgrid: dtypes differ: float32 and int64"}}},
  };
}

}  // namespace

std::vector<Row> rearrange_rows() {
  std::vector<Row> rows = triangle_rows();
  for (const auto& family : {repeating_rows, splitting_rows}) {
    for (Row& row : family()) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace gradus::test
