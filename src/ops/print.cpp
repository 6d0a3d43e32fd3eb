// Tensors as text, laid out as PyTorch prints them: numbers share one format and width, columns align, lines wrap at 80
// characters, and of large tensors only the edges are shown.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/node.hpp"
#include "gradus/tensor.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

constexpr int precision = 4;
constexpr std::int64_t summary_threshold = 1000;  // elements
constexpr std::int64_t edge_items = 3;
constexpr std::size_t line_width = 80;

// How the numbers of one tensor are written. Integers and booleans are always `plain`.
enum class Notation { plain, whole, fixed, scientific };  // 7, 7., 7.0000, 7.0000e+00

struct Style {
  Notation notation = Notation::plain;
  std::size_t width = 1;
};

// Ends an item; the next one begins so many lines below, and so far in.
std::string comma_and_lines(std::size_t lines, std::size_t indent) {
  return formatted(",{:\n>{}}{:{}}", "", lines, "", indent);
}

std::string format_number(std::int64_t value, Notation) { return formatted("{}", value); }
std::string format_number(bool value, Notation) { return value ? "True" : "False"; }
std::string format_number(double value, Notation notation) {
  if (std::isnan(value)) return "nan";  // whatever its sign bit
  switch (notation) {
    case Notation::scientific:
      return formatted("{:.{}e}", value, precision);
    case Notation::fixed:
      return formatted("{:.{}f}", value, precision);
    default:
      return formatted("{:.0f}{}", value, std::isfinite(value) ? "." : "");
  }
}

template <class T>
using Printed = std::conditional_t<std::is_same_v<T, float>, double, T>;

// The notation that suits all of the values; zeros, infinities and NaN have no say.
template <class T>
Notation choose_notation(const std::vector<T>& values) {
  if constexpr (!std::is_floating_point_v<T>)
    return Notation::plain;
  else {
    bool whole = true;
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (double value : values) {
      if (value == 0 || !std::isfinite(value)) continue;
      whole = whole && value == std::ceil(value);
      least = std::min(least, std::abs(value));
      most = std::max(most, std::abs(value));
    }
    if (most == 0) return Notation::whole;
    if (most / least > 1000 || most > 1e8 || (!whole && least < 1e-4)) return Notation::scientific;
    return whole ? Notation::whole : Notation::fixed;
  }
}

template <class T>
Style choose_style(const std::vector<T>& values) {
  Style style{.notation = choose_notation(values)};
  for (const T value : values) {
    if constexpr (std::is_floating_point_v<T>) {
      if (value == 0 || !std::isfinite(value)) continue;
    }
    style.width = std::max(style.width, format_number(value, style.notation).size());
  }
  return style;
}

// The brackets and numbers of one tensor.
template <class T>
class Layout {
 public:
  explicit Layout(const Tensor& tensor) : impl_(impl(tensor)), summarize_(tensor.numel() > summary_threshold) {
    std::vector<Printed<T>> shown;
    collect(0, impl_.template data<T>(), shown);
    style_ = choose_style(shown);
  }

  // `indent` is the column at which the text begins.
  std::string text(std::size_t indent) const { return block(0, impl_.template data<T>(), indent); }

 private:
  std::int64_t dims() const { return impl_.shape.size(); }
  bool has_gap(std::int64_t dim) const { return summarize_ && impl_.shape[dim] > 2 * edge_items; }

  // Calls visit(pointer) for each shown index of `dim`, and gap() in between if some are left out.
  template <class Visit, class Gap>
  void for_each_shown(std::int64_t dim, const T* at, const Visit& visit, const Gap& gap) const {
    const std::int64_t size = impl_.shape[dim], stride = impl_.strides[dim];
    const std::int64_t head = has_gap(dim) ? edge_items : size;
    for (std::int64_t i = 0; i < head; ++i) visit(at + i * stride);
    if (!has_gap(dim)) return;
    gap();
    for (std::int64_t i = size - edge_items; i < size; ++i) visit(at + i * stride);
  }

  void collect(std::int64_t dim, const T* at, std::vector<Printed<T>>& shown) const {
    if (dim == dims()) return shown.push_back(*at);
    for_each_shown(
        dim, at, [&](const T* next) { collect(dim + 1, next, shown); }, [] {});
  }

  std::string number(const T* at) const {
    return formatted("{:>{}}", format_number(Printed<T>{*at}, style_.notation), style_.width);
  }

  std::string block(std::int64_t dim, const T* at, std::size_t indent) const {
    if (dim == dims()) return number(at);
    if (dim == dims() - 1) return row(dim, at, indent);
    const auto depth = static_cast<std::size_t>(dims() - dim);
    const std::string separator = comma_and_lines(depth - 1, indent + 1);
    std::string text = "[";
    const auto add = [&](const std::string& item) { text += (text.size() > 1 ? separator : "") + item; };
    for_each_shown(
        dim, at, [&](const T* next) { add(block(dim + 1, next, indent + 1)); }, [&] { add("..."); });
    return text + "]";
  }

  std::string row(std::int64_t dim, const T* at, std::size_t indent) const {
    const std::size_t room = line_width > indent ? line_width - indent : 0;
    const std::size_t per_line = std::max<std::size_t>(1, room / (style_.width + 2));
    const std::string new_line = comma_and_lines(1, indent + 1);
    std::string text = "[";
    std::size_t count = 0;
    const auto add = [&](const std::string& item) {
      if (count > 0) text += count % per_line == 0 ? new_line : ", ";
      text += item;
      ++count;
    };
    for_each_shown(
        dim, at, [&](const T* next) { add(number(next)); }, [&] { add(" ..."); });
    return text + "]";
  }

  const TensorImpl& impl_;
  bool summarize_;
  Style style_;
};

// What the numbers don't tell: the size of an empty tensor, an unusual dtype, the place on the tape.
std::vector<std::string> suffixes(const Tensor& tensor) {
  std::vector<std::string> result;
  const bool empty = tensor.numel() == 0;
  if (empty && tensor.dim() != 1) result.push_back("size=" + to_string(tensor.shape()));
  if (tensor.dtype() == float64 || (empty && tensor.dtype() != float32)) {
    result.push_back(formatted("dtype={}", to_string(tensor.dtype())));
  }
  if (const char* op = grad_fn_name(tensor))
    result.push_back(formatted("grad_fn=<{}>", op));
  else if (tensor.requires_grad())
    result.push_back("requires_grad=True");
  return result;
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "tensor(undefined)";
  std::string text = "tensor(";
  const std::size_t indent = text.size();
  if (tensor.numel() == 0)
    text += "[]";
  else
    dispatch(tensor.dtype(), [&]<class T>() { text += Layout<T>(tensor).text(indent); });
  // PyTorch's count of the last line's characters, one or two above the real one.
  const std::size_t last_break = text.rfind('\n');
  std::size_t column = last_break == std::string::npos ? text.size() + 2 : text.size() - last_break + 1;
  for (const std::string& suffix : suffixes(tensor)) {
    const bool fits = column + suffix.size() + 2 <= line_width;
    text += (fits ? ", " : comma_and_lines(1, indent)) + suffix;
    column = (fits ? column + 2 : indent) + suffix.size();
  }
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace gradus
