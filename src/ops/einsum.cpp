// einsum comes down to permute, reshape, multiply and matmul, and so do its derivatives.

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "gradus/ops.hpp"
#include "ops/products.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

using Labels = std::vector<int>;  // a letter, or for a dim of the ellipsis its place counted from the right, plus this:
constexpr int ellipsis = 1000;

struct Operand {
  Tensor x;
  Labels labels;
};

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::int64_t place(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) - labels.begin();
}

// The labels of one operand, or of the result; "..." stands for `covered` dims.
Labels parse(const std::string& equation, const std::string& part, std::int64_t covered) {
  Labels labels;
  bool seen = false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(part[i])) != 0) {
      labels.push_back(part[i]);
    } else if (!seen && part.compare(i, 3, "...") == 0) {
      seen = true;
      for (std::int64_t d = covered; d-- > 0;) labels.push_back(ellipsis + static_cast<int>(d));
      i += 2;
    } else {
      fail("einsum: '{}' of '{}' is neither a letter nor one '...'", part, equation);
    }
  }
  return labels;
}

std::int64_t letters(const std::string& part) {
  return std::count_if(part.begin(), part.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

// The operands' parts of "ij,jk->ik", and the result's if there is one.
struct Equation {
  std::string text;
  std::vector<std::string> operands;
  bool has_result = false;
  std::string result;

  explicit Equation(const std::string& equation) : text(equation) {
    std::string plain = equation;
    std::erase(plain, ' ');
    if (const auto arrow = plain.find("->"); arrow != std::string::npos) {
      has_result = true;
      result = plain.substr(arrow + 2);
      plain.resize(arrow);
    }
    for (std::size_t start = 0, end = 0; end != std::string::npos; start = end + 1) {
      end = plain.find(',', start);
      operands.push_back(plain.substr(start, end - start));
    }
  }
};

Operand labelled(const Equation& equation, std::size_t i, const Tensor& x) {
  const std::string& part = equation.operands[i];
  const std::int64_t covered = x.dim() - letters(part);
  const bool open = part.find("...") != std::string::npos;
  if (open ? covered < 0 : covered != 0) {
    fail("einsum: '{}' does not name the dims of operand {}, {}", part, i, x.shape());
  }
  Operand operand{x, parse(equation.text, part, covered)};
  // A letter twice in one operand is a diagonal.
  for (std::size_t at = 0; at < operand.labels.size(); ++at) {
    const int label = operand.labels[at];
    const auto again =
        std::find(operand.labels.begin() + static_cast<std::ptrdiff_t>(at) + 1, operand.labels.end(), label);
    if (again == operand.labels.end()) continue;
    const auto first = static_cast<std::int64_t>(at), second = again - operand.labels.begin();
    if (operand.x.shape()[first] != operand.x.shape()[second]) {
      fail("einsum: '{}' names dims of different sizes of operand {}, {}", part, i, x.shape());
    }
    operand.x = diagonal(operand.x, 0, first, second);
    operand.labels.erase(again);
    operand.labels.erase(operand.labels.begin() + first);
    operand.labels.push_back(label);
    --at;
  }
  return operand;
}

// The size of every label. A dim of size 1 broadcasts: its operand goes without it.
void align(std::vector<Operand>& operands) {
  std::map<int, std::int64_t> sizes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    for (std::size_t d = 0; d < operands[i].labels.size(); ++d) {
      const std::int64_t size = operands[i].x.shape()[static_cast<std::int64_t>(d)];
      std::int64_t& known = sizes.try_emplace(operands[i].labels[d], size).first->second;
      if (size != known && size != 1 && known != 1) {
        fail("einsum: operand {}, {}, has size {} where another has {}", i, operands[i].x.shape(), size, known);
      }
      if (size != 1) known = size;
    }
  }
  for (Operand& operand : operands) {
    for (std::size_t d = operand.labels.size(); d-- > 0;) {
      const auto dim = static_cast<std::int64_t>(d);
      if (operand.x.shape()[dim] != 1 || sizes.at(operand.labels[d]) == 1) continue;
      operand.x = squeeze(operand.x, dim);
      operand.labels.erase(operand.labels.begin() + dim);
    }
  }
}

// The labels of the result: as written, or the ellipsis and then every letter that occurs once, in alphabetical order.
Labels result_labels(const Equation& equation, const std::vector<Operand>& operands, std::int64_t covered) {
  std::map<int, int> count;
  for (const Operand& operand : operands) {
    for (const int label : operand.labels) ++count[label];
  }
  Labels labels;
  if (equation.has_result) {
    labels = parse(equation.text, equation.result, covered);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!count.contains(labels[i])) {
        fail("einsum: the result of '{}' names '{}', which no operand has", equation.text,
             static_cast<char>(labels[i]));
      }
      if (std::count(labels.begin(), labels.end(), labels[i]) > 1) {
        fail("einsum: the result of '{}' names '{}' twice", equation.text, static_cast<char>(labels[i]));
      }
    }
    return labels;
  }
  for (std::int64_t d = covered; d-- > 0;) labels.push_back(ellipsis + static_cast<int>(d));
  for (const std::string& part : equation.operands) {
    for (const char c : part) {
      std::int64_t occurrences = 0;
      for (const std::string& other : equation.operands) occurrences += std::count(other.begin(), other.end(), c);
      if (c != '.' && occurrences == 1) labels.push_back(c);
    }
  }
  std::sort(labels.begin() + covered, labels.end());
  return labels;
}

// x without the labels that nobody needs any more.
Operand summed(const Operand& operand, const Labels& needed) {
  Dims dims;
  Labels kept;
  for (std::size_t d = 0; d < operand.labels.size(); ++d) {
    if (contains(needed, operand.labels[d]))
      kept.push_back(operand.labels[d]);
    else
      dims.push_back(static_cast<std::int64_t>(d));
  }
  return dims.empty() ? operand : Operand{sum(operand.x, dims), kept};
}

// The dims of x in the order of these labels, which it all has.
Tensor ordered(const Operand& operand, const Labels& labels) {
  Shape dims;
  for (const int label : labels) dims.push_back(place(operand.labels, label));
  for (std::int64_t d = 0; d < dims.size(); ++d) {
    if (dims[d] != d) return permute(operand.x, dims);
  }
  return operand.x;
}

std::int64_t size_of(const Operand& operand, const Labels& labels) {
  std::int64_t product = 1;
  for (const int label : labels) product *= operand.x.shape()[place(operand.labels, label)];
  return product;
}

Labels joined(const Labels& a, const Labels& b) {
  Labels all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// The sum over all labels that nobody needs any more of the product of a and b.
Operand contract(const Operand& left, const Operand& right, const Labels& needed) {
  const Operand a = summed(left, joined(needed, right.labels)), b = summed(right, joined(needed, left.labels));
  Labels batch, inner, rows, cols;
  for (const int label : a.labels) {
    (!contains(b.labels, label) ? rows : contains(needed, label) ? batch : inner).push_back(label);
  }
  for (const int label : b.labels) {
    if (!contains(a.labels, label)) cols.push_back(label);
  }
  const Labels labels = joined(joined(batch, rows), cols);
  Shape shape;
  for (const int label : labels) {
    const Operand& owner = contains(a.labels, label) ? a : b;
    shape.push_back(owner.x.shape()[place(owner.labels, label)]);
  }
  const std::int64_t count = size_of(a, batch), m = size_of(a, rows), k = size_of(a, inner), n = size_of(b, cols);
  const Tensor x = ordered(a, joined(joined(batch, rows), inner)), y = ordered(b, joined(joined(batch, inner), cols));
  if (inner.empty()) return {reshape(mul(reshape(x, {count, m, 1}), reshape(y, {count, 1, n})), shape), labels};
  const Tensor product = batch.empty() ? matmul(reshape(x, {m, k}), reshape(y, {k, n}))
                                       : matmul(reshape(x, {count, m, k}), reshape(y, {count, k, n}));
  return {reshape(product, shape), labels};
}

}  // namespace

Tensor einsum(const std::string& text, const std::vector<Tensor>& tensors) {
  const Equation equation(text);
  if (tensors.empty() || equation.operands.size() != tensors.size()) {
    fail("einsum: '{}' names {} operands, got {}", text, equation.operands.size(), tensors.size());
  }
  std::vector<Operand> operands;
  std::int64_t covered = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    check_product_dtypes("einsum", tensors[0], tensors[i]);
    operands.push_back(labelled(equation, i, tensors[i]));
    covered = std::max(covered, tensors[i].dim() - letters(equation.operands[i]));
  }
  const Labels result = result_labels(equation, operands, covered);
  align(operands);
  Operand total = operands[0];
  for (std::size_t i = 1; i < operands.size(); ++i) {
    Labels needed = result;
    for (std::size_t later = i + 1; later < operands.size(); ++later) needed = joined(needed, operands[later].labels);
    total = contract(total, operands[i], needed);
  }
  const Tensor y = ordered(summed(total, result), result);
  return y.is(tensors[0]) ? reshape(y, y.shape()) : y;  // a view, as other equations of one operand give
}

}  // namespace gradus
