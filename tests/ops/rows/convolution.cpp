#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

Pair pair(const Args& a, const std::string& name, std::int64_t otherwise) {
  if (!a.has(name)) return otherwise;
  const Shape values = a.shape(name);
  return values.size() == 1 ? Pair(values[0]) : Pair(values[0], values[1]);
}

Tensor bias_of(const Tensors& x) { return x.size() > 2 ? x[2] : Tensor(); }

std::optional<Pair> maybe_pair(const Args& a, const std::string& name) {
  return a.has(name) ? std::optional(pair(a, name, 0)) : std::nullopt;
}

Tensor call_conv2d(const Tensors& x, const Args& a) {
  return conv2d(x[0], x[1], bias_of(x),
                {.stride = pair(a, "stride", 1),
                 .padding = pair(a, "padding", 0),
                 .dilation = pair(a, "dilation", 1),
                 .groups = a.integer("groups", 1)});
}

Tensor call_conv1d(const Tensors& x, const Args& a) {
  return conv1d(x[0], x[1], bias_of(x),
                {.stride = a.integer("stride", 1),
                 .padding = a.integer("padding", 0),
                 .dilation = a.integer("dilation", 1),
                 .groups = a.integer("groups", 1)});
}

Tensor call_transposed(const Tensors& x, const Args& a) {
  return conv_transpose2d(x[0], x[1], bias_of(x),
                          {.stride = pair(a, "stride", 1),
                           .padding = pair(a, "padding", 0),
                           .output_padding = pair(a, "output_padding", 0),
                           .groups = a.integer("groups", 1),
                           .dilation = pair(a, "dilation", 1)});
}

Tensor call_max_pool2d(const Tensors& x, const Args& a) {
  return max_pool2d(x[0], pair(a, "kernel_size", 2),
                    {.stride = maybe_pair(a, "stride"),
                     .padding = pair(a, "padding", 0),
                     .dilation = pair(a, "dilation", 1),
                     .ceil_mode = a.number("ceil_mode", 0) != 0});
}

Tensor call_max_pool1d(const Tensors& x, const Args& a) {
  return max_pool1d(x[0], a.integer("kernel_size", 2),
                    {.stride = a.maybe_integer("stride"),
                     .padding = a.integer("padding", 0),
                     .dilation = a.integer("dilation", 1),
                     .ceil_mode = a.number("ceil_mode", 0) != 0});
}

Tensor call_avg_pool2d(const Tensors& x, const Args& a) {
  return avg_pool2d(x[0], pair(a, "kernel_size", 2),
                    {.stride = maybe_pair(a, "stride"),
                     .padding = pair(a, "padding", 0),
                     .ceil_mode = a.number("ceil_mode", 0) != 0,
                     .count_include_pad = a.number("count_include_pad", 1) != 0});
}

Tensor call_avg_pool1d(const Tensors& x, const Args& a) {
  return avg_pool1d(x[0], a.integer("kernel_size", 2),
                    {.stride = a.maybe_integer("stride"),
                     .padding = a.integer("padding", 0),
                     .ceil_mode = a.number("ceil_mode", 0) != 0,
                     .count_include_pad = a.number("count_include_pad", 1) != 0});
}

Tensor call_interpolate(const Tensors& x, const Args& a) {
  InterpolateOptions options{.mode = static_cast<InterpolateMode>(a.integer("mode", 0)),
                             .align_corners = a.number("align_corners", 0) != 0};
  if (a.has("size")) options.size = pair(a, "size", 0);
  if (a.has("height_factor")) options.scale_factor = Scale(a.number("height_factor"), a.number("width_factor"));
  return interpolate(x[0], options);
}

}  // namespace

std::vector<Row> convolution_rows() {
  return {
      {.name = "conv2d",
       .call = call_conv2d,
       .cases = {{{normal({2, 2, 4, 5}), normal({3, 2, 3, 2}), optional_input(normal({3}))}},
                 {{normal({2, 4, 5}), normal({3, 2, 3, 2}), optional_input(normal({3}))}},
                 {{normal({2, 3, 3, 3}), normal({2, 3, 1, 1})}},
                 {{normal({1, 4, 5, 4}), normal({6, 2, 3, 3}), optional_input(normal({6}))},
                  {{"stride", {2}}, {"padding", {1}}, {"groups", {2}}}},
                 {{normal({2, 2, 5, 5}), normal({2, 1, 2, 3})},
                  {{"padding", {2, 1}}, {"dilation", {2, 1}}, {"groups", {2}}}},
                 {{normal({1, 1, 4, 3}), normal({1, 1, 2, 2})}, {{"stride", {3, 2}}, {"padding", {0, 2}}}},
                 {{normal({0, 2, 3, 3}), normal({3, 2, 2, 2})}}},
       .bad_calls = {{[] {
                        conv2d(zeros({2, 3}), zeros({1, 1, 2, 2}));
                      },
                      "conv2d: x must be (batch, in, h, w), the weight have 4 dims: (2, 3) and (1, 1, 2, 2)"},
                     {[] {
                        conv2d(zeros({1, 3, 4, 4}), zeros({2, 2, 3, 3}));
                      },
                      "conv2d: x has 3 channels, the weight (2, 2, 3, 3) with 1 groups takes 2"},
                     {[] {
                        conv2d(zeros({1, 1, 2, 4}), zeros({1, 1, 3, 3}));
                      },
                      "conv2d: the kernel reaches over 3 elements, the padded input has 2"},
                     {[] {
                        conv2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), {}, {.groups = 0});
                      },
                      "conv2d: groups must be at least 1, got 0"},
                     {[] {
                        conv2d(zeros({1, 4, 4, 4}), zeros({3, 2, 3, 3}), {}, {.groups = 2});
                      },
                      "conv2d: 2 groups don't divide the first dim of the weight (3, 2, 3, 3)"},
                     {[] {
                        conv2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), {}, {.stride = 0});
                      },
                      "conv2d: stride must be at least 1, got (0, 0)"},
                     {[] {
                        conv2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), {}, {.padding = {0, -1}});
                      },
                      "conv2d: padding must be at least 0, got (0, -1)"},
                     {[] {
                        conv2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), {}, {.dilation = 0});
                      },
                      "conv2d: dilation must be at least 1, got (0, 0)"},
                     {[] {
                        conv2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), zeros({3}));
                      },
                      "conv2d: the bias must be (2,), got (3,)"}}},
      {.name = "conv1d",
       .call = call_conv1d,
       .cases = {{{normal({2, 2, 6}), normal({3, 2, 3}), optional_input(normal({3}))}},
                 {{normal({2, 6}), normal({3, 2, 3})}},
                 {{normal({2, 4, 6}), normal({2, 2, 2}), optional_input(normal({2}))},
                  {{"stride", {2}}, {"padding", {1}}, {"dilation", {2}}, {"groups", {2}}}}},
       .bad_calls = {{[] {
                        conv1d(zeros({1, 1, 2, 2}), zeros({1, 1, 2}));
                      },
                      "conv1d: x must be (batch, in, n), the weight have 3 dims: (1, 1, 2, 2) and (1, 1, 2)"}}},
      {.name = "conv_transpose2d",
       .call = call_transposed,
       .cases = {{{normal({2, 3, 2, 3}), normal({3, 2, 3, 2}), optional_input(normal({2}))}},
                 {{normal({3, 2, 3}), normal({3, 2, 2, 2})}},
                 {{normal({1, 4, 3, 2}), normal({4, 1, 3, 3}), optional_input(normal({2}))},
                  {{"stride", {2}}, {"padding", {1}}, {"output_padding", {1}}, {"groups", {2}}}},
                 {{normal({1, 2, 2, 2}), normal({2, 2, 2, 3})},
                  {{"stride", {1, 3}}, {"dilation", {2, 1}}, {"output_padding", {1, 2}}}}},
       .bad_calls = {{[] {
                        conv_transpose2d(zeros({1, 3, 4, 4}), zeros({2, 2, 3, 3}));
                      },
                      "conv_transpose2d: x has 3 channels, the weight (2, 2, 3, 3) with 1 groups takes 2"},
                     {[] {
                        conv_transpose2d(zeros({1, 2, 4, 4}), zeros({2, 2, 3, 3}), {}, {.output_padding = 1});
                      },
                      "conv_transpose2d: output_padding must be below stride or dilation, got 1"},
                     {[] {
                        conv_transpose2d(zeros({1, 2, 1, 1}), zeros({2, 2, 2, 2}), {}, {.padding = 1});
                      },
                      "conv_transpose2d: the result would be (1, 2, 0, 0)"}}},
      {.name = "max_pool2d",
       .call = call_max_pool2d,
       .cases = {{{distinct({2, 2, 4, 4})}},
                 {{distinct({3, 5})}, {{"kernel_size", {2, 3}}}},
                 {{distinct({2, 5, 4})}, {{"kernel_size", {3}}, {"stride", {1, 2}}, {"padding", {1}}}},
                 {{distinct({1, 1, 5, 5})}, {{"kernel_size", {2}}, {"stride", {2}}, {"ceil_mode", {1}}}},
                 {{distinct({1, 1, 5, 5})}, {{"kernel_size", {2}}, {"stride", {1}}, {"dilation", {2}}}}},
       .bad_calls = {{[] { max_pool2d(zeros({4}), 2); }, "max_pool2d: an image (..., h, w) is needed, got (4,)"},
                     {[] {
                        max_pool2d(zeros({4, 4}), 2, {.padding = 2});
                      },
                      "max_pool2d: padding must be at least 0 and at most half of the kernel's 2, got 2"},
                     {[] {
                        max_pool2d(zeros({4, 1}), 2);
                      },
                      "max_pool2d: the kernel reaches over 2 elements, the padded input has 1"},
                     {[] {
                        max_pool2d(zeros({4, 4}), 0);
                      },
                      "max_pool2d: kernel_size must be at least 1, got 0"}}},
      {.name = "max_pool1d",
       .call = call_max_pool1d,
       .cases = {{{distinct({2, 3, 6})}},
                 {{distinct({2, 7})}, {{"kernel_size", {3}}, {"stride", {2}}, {"padding", {1}}}}},
       .bad_calls = {{[] { max_pool1d(zeros({}), 2); }, "max_pool1d: a row (..., n) is needed, got ()"}}},
      {.name = "avg_pool2d",
       .call = call_avg_pool2d,
       .cases = {{{normal({2, 2, 4, 4})}},
                 {{normal({2, 5, 4})}, {{"kernel_size", {3, 2}}, {"stride", {2, 1}}, {"padding", {1, 1}}}},
                 {{normal({2, 5, 4})},
                  {{"kernel_size", {3, 2}}, {"stride", {2, 1}}, {"padding", {1, 1}}, {"count_include_pad", {0}}}},
                 {{normal({1, 1, 5, 5})}, {{"stride", {2}}, {"ceil_mode", {1}}}}},
       .bad_calls = {{[] {
                        avg_pool2d(zeros({2, 2}), 3);
                      },
                      "avg_pool2d: the kernel reaches over 3 elements, the padded input has 2"}}},
      {.name = "avg_pool1d",
       .call = call_avg_pool1d,
       .cases = {{{normal({2, 3, 6})}},
                 {{normal({2, 7})}, {{"kernel_size", {3}}, {"stride", {2}}, {"padding", {1}}, {"ceil_mode", {1}}}}},
       .bad_calls = {{[] { avg_pool1d(zeros({4}), 5); },
                      "avg_pool2d: the kernel reaches over 5 elements, the padded input has 4"}}},
      {.name = "adaptive_avg_pool2d",
       .call = [](const Tensors& x, const Args& a) { return adaptive_avg_pool2d(x[0], pair(a, "output_size", 1)); },
       .cases = {{{normal({2, 2, 3, 4})}},
                 {{normal({2, 5, 7})}, {{"output_size", {2, 3}}}},
                 {{normal({2, 2})}, {{"output_size", {3}}}}},
       .bad_calls = {{[] {
                        adaptive_avg_pool2d(zeros({2, 2}), 0);
                      },
                      "adaptive_avg_pool2d: output_size must be at least 1, got 0"}}},
      {.name = "adaptive_avg_pool1d",
       .call = [](const Tensors& x, const Args& a) { return adaptive_avg_pool1d(x[0], a.integer("output_size", 1)); },
       .cases = {{{normal({2, 3, 4})}}, {{normal({2, 7})}, {{"output_size", {3}}}}},
       .bad_calls = {{[] { adaptive_avg_pool1d(zeros({}), 1); },
                      "adaptive_avg_pool1d: a row (..., n) is needed, got ()"}}},
      {.name = "interpolate",
       .call = call_interpolate,
       .cases = {{{normal({2, 2, 3, 2})}, {{"height_factor", {2}}, {"width_factor", {2}}}},
                 {{normal({1, 2, 3, 4})}, {{"size", {5, 3}}, {"mode", {2}}}},
                 {{normal({1, 2, 3, 4})}, {{"size", {5, 3}}, {"mode", {2}}, {"align_corners", {1}}}},
                 {{normal({2, 3, 4})}, {{"size", {7}}, {"mode", {1}}}},
                 {{normal({2, 3, 4})}, {{"size", {3}}}},
                 {{normal({1, 1, 4, 4})}, {{"height_factor", {1.6}}, {"width_factor", {0.5}}, {"mode", {2}}}},
                 {{normal({0, 2, 3, 3})}, {{"size", {2}}}}},
       .bad_calls =
           {{[] {
               interpolate(zeros({2, 3}), {.size = 4});
             },
             "interpolate: rows (batch, channels, n) or images (batch, channels, h, w) are needed, got (2, 3)"},
            {[] {
               interpolate(zeros({1, 1, 2, 2}), {});
             },
             "interpolate: either size or scale_factor is needed, neither is given"},
            {[] {
               interpolate(zeros({1, 1, 2, 2}), {.size = 2, .scale_factor = 2});
             },
             "interpolate: either size or scale_factor is needed, both are given"},
            {[] {
               interpolate(zeros({1, 1, 2, 2}), {.size = {2, 0}});
             },
             "interpolate: sizes must be at least 1, got 0 for (1, 1, 2, 2)"},
            {[] {
               interpolate(zeros({1, 1, 2, 2}), {.scale_factor = -1});
             },
             "interpolate: scale_factor must be above 0, got -1"},
            {[] {
               interpolate(zeros({1, 1, 2, 2}), {.size = 3, .mode = InterpolateMode::linear});
             },
             "interpolate: linear is for rows, got (1, 1, 2, 2)"},
            {[] {
               interpolate(zeros({1, 2, 2}), {.size = 3, .mode = InterpolateMode::bilinear});
             },
             "interpolate: bilinear is for images, got (1, 2, 2)"},
            {[] {
               interpolate(zeros({1, 2, 2}), {.size = 3, .align_corners = true});
             },
             "interpolate: align_corners is for linear and bilinear, not nearest"}}},
  };
}

}  // namespace gradus::test
