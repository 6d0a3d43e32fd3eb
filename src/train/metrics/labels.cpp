#include "train/metrics/labels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "gradus/error.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus::train {
namespace {

// NaN counts as largest, as it does for argmax.
template <class T>
bool is_larger(T a, T b) {
  return a > b || (a != a && b == b);
}

void read_largest(const char* op, const Tensor& scores, const ScoreLayout& layout, std::vector<std::int64_t>& out) {
  const Tensor values = scores.contiguous();
  out.resize(static_cast<std::size_t>(layout.outer * layout.inner));
  dispatch_floating(op, values.dtype(), [&]<class T>() {
    const T* all = values.data<T>().data();
    auto label = out.begin();
    for (std::int64_t o = 0; o < layout.outer; ++o) {
      for (std::int64_t i = 0; i < layout.inner; ++i) {
        const T* first = all + o * layout.classes * layout.inner + i;
        std::int64_t best = 0;
        for (std::int64_t c = 1; c < layout.classes; ++c) {
          if (is_larger(first[c * layout.inner], first[best * layout.inner])) best = c;
        }
        *label++ = best;
      }
    }
  });
}

void read_above(const char* op, const Tensor& scores, double threshold, std::vector<std::int64_t>& out) {
  const Tensor values = scores.contiguous();
  out.resize(static_cast<std::size_t>(values.numel()));
  dispatch_floating(op, values.dtype(), [&]<class T>() {
    std::ranges::transform(values.data<T>(), out.begin(),
                           [&](T score) { return static_cast<double>(score) > threshold; });
  });
}

bool is_list(const Shape& shape) { return shape.size() < 2 || (shape.size() == 2 && shape.back() == 1); }

// (n) and (n, 1) are the same list.
bool is_same_list(const Shape& a, const Shape& b) { return is_list(a) && is_list(b) && a.numel() == b.numel(); }

// As many as the largest label asks for.
std::int64_t count_classes(const char* op, const Labels& labels) {
  std::int64_t classes = 0;
  for (const auto* list : {&labels.predicted, &labels.target}) {
    for (const std::int64_t label : *list) {
      check_label(op, label, std::numeric_limits<std::int64_t>::max());
      classes = std::max(classes, label + 1);
    }
  }
  return classes;
}

void drop_ignored(std::int64_t ignore_index, Labels& labels) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < labels.target.size(); ++i) {
    if (labels.target[i] == ignore_index) continue;
    labels.target[kept] = labels.target[i];
    labels.predicted[kept++] = labels.predicted[i];
  }
  labels.target.resize(kept);
  labels.predicted.resize(kept);
}

}  // namespace

ScoreLayout score_layout(const char* op, const Shape& scores, const Shape& labels) {
  if (scores.size() == labels.size() + 1) {
    for (const std::int64_t dim : {std::int64_t{1}, scores.size() - 1}) {
      Shape without = scores;
      if (dim < scores.size()) without.erase(dim);
      if (without != labels) continue;
      ScoreLayout layout{.classes = scores[dim]};
      for (std::int64_t i = 0; i < dim; ++i) layout.outer *= scores[i];
      for (std::int64_t i = dim + 1; i < scores.size(); ++i) layout.inner *= scores[i];
      if (layout.classes > 0) return layout;
    }
  }
  fail("{}: scores (n, classes) need labels (n): {} and {}", op, scores, labels);
}

void read_integers(const char* op, const Tensor& labels, std::vector<std::int64_t>& out) {
  const Tensor values = labels.contiguous();
  out.resize(static_cast<std::size_t>(values.numel()));
  dispatch(values.dtype(), [&]<class T>() {
    std::ranges::transform(values.data<T>(), out.begin(), [op](T label) {
      if constexpr (std::is_floating_point_v<T>) {
        constexpr T largest =
            std::numeric_limits<T>::radix / std::numeric_limits<T>::epsilon();  // beyond, all are whole
        if (!(label == std::trunc(label) && std::abs(label) <= largest))
          fail("{}: labels must be whole numbers: {}", op, label);
      }
      return static_cast<std::int64_t>(label);
    });
  });
}

void check_label(const char* op, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes) fail("{}: there are {} classes, so this is no label: {}", op, classes, label);
}

void read_labels(const char* op, const Tensor& prediction, const Tensor& target, const LabelOptions& options,
                 Labels& labels) {
  const Shape &scores = prediction.shape(), &wanted = target.shape();
  const bool are_labels = !is_floating_point(prediction.dtype());
  if (are_labels) {
    if (scores != wanted && !is_same_list(scores, wanted))
      fail("{}: labels need labels of the same shape, scores a floating dtype: {} {} and {}", op, prediction.dtype(),
           scores, wanted);
    read_integers(op, prediction, labels.predicted);
    read_integers(op, target, labels.target);
  } else if (is_same_list(scores, wanted)) {
    read_above(op, prediction, options.threshold, labels.predicted);
    read_integers(op, target, labels.target);
    labels.classes = 2;
  } else if (scores.size() == 2 && scores == wanted && is_floating_point(target.dtype())) {
    const ScoreLayout layout{.outer = scores[0], .classes = scores[1]};
    read_largest(op, prediction, layout, labels.predicted);
    read_largest(op, target, layout, labels.target);
    labels.classes = layout.classes;
  } else {
    const ScoreLayout layout = score_layout(op, scores, wanted);
    read_largest(op, prediction, layout, labels.predicted);
    read_integers(op, target, labels.target);
    labels.classes = layout.classes;
  }
  drop_ignored(options.ignore_index, labels);
  if (are_labels) labels.classes = count_classes(op, labels);
  for (const std::int64_t label : labels.target) check_label(op, label, labels.classes);
}

}  // namespace gradus::train
