#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

template <class T>
void fill_floating(Table<T>& table) {
  fill_unary(table);
  fill_binary(table);
  fill_compare(table);
  fill_reduce(table);
  fill_softmax(table);
  fill_fused(table);
  fill_norm(table);
  fill_gemm(table);
  fill_convolve(table);
  fill_recurrent(table);
}

}  // namespace

template <>
void fill(Table<float>& table) {
  fill_floating(table);
}

template <>
void fill(Table<double>& table) {
  fill_floating(table);
}

template <>
void fill(Table<std::int64_t>& table) {
  fill_unary(table);
  fill_binary(table);
  fill_compare(table);
  fill_reduce(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
