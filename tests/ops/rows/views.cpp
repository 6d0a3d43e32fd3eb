#include "ops/op_table.hpp"

namespace gradus::test {

std::vector<Row> view_rows() {
  return {
      {.name = "transpose",
       .call = [](const Tensors& x, const Args& a) { return transpose(x[0], a.integer("dim0"), a.integer("dim1")); },
       .cases = {{{normal({2, 3})}, {{"dim0", {0}}, {"dim1", {1}}}},
                 {{normal({2, 3, 4})}, {{"dim0", {-1}}, {"dim1", {0}}}},
                 {{normal({0, 3})}, {{"dim0", {0}}, {"dim1", {1}}}}},
       .bad_calls = {{[] {
                        transpose(zeros({2, 3}), 0, 2);
                      },
                      "transpose: dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].transpose(a.integer("dim0"), a.integer("dim1")); }},
      {.name = "permute",
       .call = [](const Tensors& x, const Args& a) { return permute(x[0], a.shape("dims")); },
       .cases = {{{normal({2, 3, 4})}, {{"dims", {2, 0, 1}}}}, {{normal({2, 3, 4})}, {{"dims", {-1, 1, 0}}}}},
       .bad_calls = {{[] {
                        permute(zeros({2, 3}), {0, 0});
                      },
                      "permute: a dim is named twice: (0, 0)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].permute(a.shape("dims")); }},
      {.name = "reshape",
       .call = [](const Tensors& x, const Args& a) { return reshape(x[0], a.shape("shape")); },
       .cases = {{{normal({2, 3})}, {{"shape", {6}}}},
                 {{normal({2, 3})}, {{"shape", {3, -1}}}},
                 {{normal({})}, {{"shape", {1, 1}}}},
                 {{normal({0, 3})}, {{"shape", {3, 0}}}}},
       .bad_calls = {{[] {
                        reshape(zeros({2, 3}), {4, 2});
                      },
                      "reshape: a tensor of shape (2, 3) with 6 elements does not fit into (4, 2)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].reshape(a.shape("shape")); }},
      {.name = "flatten",
       .call = [](const Tensors& x,
                  const Args& a) { return flatten(x[0], a.integer("start_dim", 0), a.integer("end_dim", -1)); },
       .cases = {{{normal({2, 3, 4})}}, {{normal({2, 3, 4})}, {{"start_dim", {1}}}}, {{normal({})}}},
       .bad_calls = {{[] {
                        flatten(zeros({2, 3}), 1, 0);
                      },
                      "flatten: start_dim 1 lies behind end_dim 0"}},
       .method = [](const Tensors& x,
                    const Args& a) { return x[0].flatten(a.integer("start_dim", 0), a.integer("end_dim", -1)); }},
      {.name = "squeeze",
       .call = [](const Tensors& x, const Args&) { return squeeze(x[0]); },
       .cases = {{{normal({1, 3, 1, 2})}}, {{normal({1, 1})}}},
       .bad_calls = {{[] { squeeze(Tensor()); }, "tensor: an undefined tensor was used"}},
       .method = [](const Tensors& x, const Args&) { return x[0].squeeze(); }},
      {.name = "squeeze:dim",
       .call = [](const Tensors& x, const Args& a) { return squeeze(x[0], a.integer("dim")); },
       .cases = {{{normal({1, 3, 1, 2})}, {{"dim", {-2}}}}, {{normal({1, 3})}, {{"dim", {1}}}}},
       .bad_calls = {{[] {
                        squeeze(zeros({2, 3}), 2);
                      },
                      "squeeze: dim must be in [-2, 1] for a tensor of 2 dims, got 2"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].squeeze(a.integer("dim")); }},
      {.name = "unsqueeze",
       .call = [](const Tensors& x, const Args& a) { return unsqueeze(x[0], a.integer("dim")); },
       .cases = {{{normal({2, 3})}, {{"dim", {1}}}},
                 {{normal({2, 3})}, {{"dim", {-1}}}},
                 {{normal({})}, {{"dim", {0}}}}},
       .bad_calls = {{[] {
                        unsqueeze(zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0);
                      },
                      "shape: at most 8 dims are supported, got 9"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].unsqueeze(a.integer("dim")); }},
      {.name = "select",
       .call = [](const Tensors& x, const Args& a) { return select(x[0], a.integer("dim"), a.integer("index")); },
       .cases = {{{normal({2, 3, 4})}, {{"dim", {1}}, {"index", {2}}}},
                 {{normal({2, 3})}, {{"dim", {-1}}, {"index", {-3}}}},
                 {{normal({3})}, {{"dim", {0}}, {"index", {1}}}}},
       .bad_calls = {{[] {
                        select(zeros({2, 3}), 1, -4);
                      },
                      "select: index -4 is out of range for dim 1 of shape (2, 3)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].select(a.integer("dim"), a.integer("index")); }},
      {.name = "slice",
       .call =
           [](const Tensors& x, const Args& a) {
             return slice(x[0], a.integer("dim"), a.maybe_integer("start"), a.maybe_integer("end"),
                          a.integer("step", 1));
           },
       .cases = {{{normal({5, 2})}, {{"dim", {0}}, {"start", {1}}, {"end", {4}}}},
                 {{normal({5, 2})}, {{"dim", {0}}, {"step", {2}}}},
                 {{normal({2, 5})}, {{"dim", {-1}}, {"start", {-3}}, {"end", {100}}, {"step", {2}}}},
                 {{normal({5})}, {{"dim", {0}}, {"start", {4}}, {"end", {2}}}}},
       .bad_calls = {{[] {
                        slice(zeros({2, 3}), 0, 0, 2, 0);
                      },
                      "slice: the step must be positive, got 0"}},
       .method =
           [](const Tensors& x, const Args& a) {
             return x[0].slice(a.integer("dim"), a.maybe_integer("start"), a.maybe_integer("end"),
                               a.integer("step", 1));
           }},
      {.name = "narrow",
       .call = [](const Tensors& x,
                  const Args& a) { return narrow(x[0], a.integer("dim"), a.integer("start"), a.integer("length")); },
       .cases = {{{normal({5, 2})}, {{"dim", {0}}, {"start", {1}}, {"length", {3}}}},
                 {{normal({2, 5})}, {{"dim", {-1}}, {"start", {-2}}, {"length", {2}}}}},
       .bad_calls = {{[] {
                        narrow(zeros({2, 3}), 1, 1, 3);
                      },
                      "narrow: start 1 and length 3 do not lie within dim 1 of shape (2, 3)"}},
       .method = [](const Tensors& x,
                    const Args& a) { return x[0].narrow(a.integer("dim"), a.integer("start"), a.integer("length")); }},
      {.name = "expand",
       .call = [](const Tensors& x, const Args& a) { return expand(x[0], a.shape("shape")); },
       .cases = {{{normal({3, 1})}, {{"shape", {3, 4}}}},
                 {{normal({3, 1})}, {{"shape", {2, -1, 2}}}},
                 {{normal({})}, {{"shape", {2, 2}}}},
                 {{normal({1, 3})}, {{"shape", {0, 3}}}}},
       .bad_calls = {{[] {
                        expand(zeros({2, 3}), {2, 4});
                      },
                      "expand: shape (2, 3) does not expand to (2, 4)"}},
       .method = [](const Tensors& x, const Args& a) { return x[0].expand(a.shape("shape")); }},
      {.name = "clone",
       .call = [](const Tensors& x, const Args&) { return clone(x[0]); },
       .cases = {{{normal({2, 3})}}},
       .bad_calls = {{[] { clone(Tensor()); }, "tensor: an undefined tensor was used"}},
       .elementwise = true,
       .method = [](const Tensors& x, const Args&) { return x[0].clone(); }},
  };
}

}  // namespace gradus::test
