#include "train/metrics/labels.hpp"

#include <algorithm>

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

void read_largest(const Tensor& scores, const ScoreLayout& layout, std::vector<std::int64_t>& out) {
  const Tensor values = scores.contiguous();
  out.resize(static_cast<std::size_t>(layout.outer * layout.inner));
  dispatch_floating("metric", values.dtype(), [&]<class T>() {
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

void read_above(const Tensor& scores, double threshold, std::vector<std::int64_t>& out) {
  const Tensor values = scores.contiguous();
  out.resize(static_cast<std::size_t>(values.numel()));
  dispatch_floating("metric", values.dtype(), [&]<class T>() {
    std::ranges::transform(values.data<T>(), out.begin(),
                           [&](T score) { return static_cast<double>(score) > threshold; });
  });
}

// (n) and (n, 1) are the same list.
bool is_one_score_each(const Shape& scores, const Shape& target) {
  const bool is_column = scores.size() == 2 && scores.back() == 1;
  return scores.numel() == target.numel() && (scores == target || is_column || scores.size() == 1) &&
         (scores.size() < 2 || is_column);
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

void read_integers(const Tensor& labels, std::vector<std::int64_t>& out) {
  const Tensor values = labels.contiguous();
  out.resize(static_cast<std::size_t>(values.numel()));
  dispatch(values.dtype(), [&]<class T>() {
    std::ranges::transform(values.data<T>(), out.begin(), [](T label) { return static_cast<std::int64_t>(label); });
  });
}

void check_label(const char* op, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes) fail("{}: there are {} classes, so this is no label: {}", op, classes, label);
}

void read_labels(const char* op, const Tensor& prediction, const Tensor& target, const LabelOptions& options,
                 Labels& labels) {
  const Shape &scores = prediction.shape(), &wanted = target.shape();
  if (!is_floating_point(prediction.dtype()) && scores == wanted) {
    read_integers(prediction, labels.predicted);
    read_integers(target, labels.target);
    labels.classes = 0;
    for (const std::int64_t label : labels.predicted) labels.classes = std::max(labels.classes, label + 1);
    for (const std::int64_t label : labels.target) labels.classes = std::max(labels.classes, label + 1);
    for (const std::int64_t label : labels.predicted) check_label(op, label, labels.classes);
  } else if (is_one_score_each(scores, wanted)) {
    read_above(prediction, options.threshold, labels.predicted);
    read_integers(target, labels.target);
    labels.classes = 2;
  } else if (scores.size() == 2 && scores == wanted && is_floating_point(target.dtype())) {
    const ScoreLayout layout{.outer = scores[0], .classes = scores[1]};
    read_largest(prediction, layout, labels.predicted);
    read_largest(target, layout, labels.target);
    labels.classes = layout.classes;
  } else {
    const ScoreLayout layout = score_layout(op, scores, wanted);
    read_largest(prediction, layout, labels.predicted);
    read_integers(target, labels.target);
    labels.classes = layout.classes;
  }
  drop_ignored(options.ignore_index, labels);
  for (const std::int64_t label : labels.target) check_label(op, label, labels.classes);
}

}  // namespace gradus::train
