// Attention of one head: the weights of a few queries at a time, which stay in the cache, are computed and used. Where
// they are not kept the derivative computes them again.
#pragma once

#include <cstdint>

namespace gradus::kernels {

// Rows `stride` elements apart.
template <class T>
struct RowsOf {
  T* data = nullptr;
  std::int64_t stride = 0;

  T* row(std::int64_t i) const { return data + i * stride; }
  explicit operator bool() const { return data != nullptr; }
};

template <class T>
struct AttentionHead {
  std::int64_t queries, keys, width, value_width;
  T scale;
  bool causal;  // query i sees keys 0 .. i
  RowsOf<const T> q, k, v;
  // (queries, keys), either of them null: which keys a query sees, and what is added to the scores.
  RowsOf<const bool> seen;
  RowsOf<const T> added;
  std::int64_t mask_step = 1;  // between the columns of the mask
  RowsOf<const T> factors;     // of the weights, (queries, keys); may be null
  RowsOf<T> kept;              // where the weights, before factors, stay from one function to the other; may be null
};

// How many elements of scratch memory the functions below need.
template <class T>
std::int64_t attention_scratch(const AttentionHead<T>& head);

// y = factors softmax(scale Q K^T + mask) V. A query that sees no key gets 0.
template <class T>
void attention(const AttentionHead<T>& head, RowsOf<T> y, T* scratch);

// The derivatives by q, k and v for the slope g of y; each of the three may be null.
template <class T>
void attention_backward(const AttentionHead<T>& head, RowsOf<const T> g, RowsOf<T> dq, RowsOf<T> dk, RowsOf<T> dv,
                        T* scratch);

}  // namespace gradus::kernels
