// Each file of this folder fills its part of the table; table.cpp puts them together.
#pragma once

#include "kernels/kernels.hpp"

namespace gradus::kernels::GRADUS_ISA {

template <class T>
void fill_unary(Table<T>& table);
template <class T>
void fill_binary(Table<T>& table);
template <class T>
void fill_compare(Table<T>& table);
template <class T>
void fill_reduce(Table<T>& table);
template <class T>
void fill_softmax(Table<T>& table);  // float and double
template <class T>
void fill_fused(Table<T>& table);  // float and double
template <class T>
void fill_norm(Table<T>& table);  // float and double
template <class T>
void fill_gemm(Table<T>& table);  // float and double
template <class T>
void fill_convolve(Table<T>& table);  // float and double
template <class T>
void fill_recurrent(Table<T>& table);  // float and double

// What the dispatcher calls.
template <class T>
void fill(Table<T>& table);

}  // namespace gradus::kernels::GRADUS_ISA
