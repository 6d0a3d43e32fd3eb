// The methods of Tensor that are nothing but the free function of the same name.

#include "gradus/ops.hpp"

namespace gradus {

Tensor Tensor::add(const Tensor& other, double alpha) const { return gradus::add(*this, other, alpha); }
Tensor Tensor::sub(const Tensor& other, double alpha) const { return gradus::sub(*this, other, alpha); }
Tensor Tensor::mul(const Tensor& other) const { return gradus::mul(*this, other); }
Tensor Tensor::div(const Tensor& other) const { return gradus::div(*this, other); }
Tensor Tensor::add(double value) const { return gradus::add(*this, value); }
Tensor Tensor::sub(double value) const { return gradus::sub(*this, value); }
Tensor Tensor::mul(double value) const { return gradus::mul(*this, value); }
Tensor Tensor::div(double value) const { return gradus::div(*this, value); }
Tensor Tensor::pow(const Tensor& exponent) const { return gradus::pow(*this, exponent); }
Tensor Tensor::eq(const Tensor& other) const { return gradus::eq(*this, other); }
Tensor Tensor::eq(double value) const { return gradus::eq(*this, value); }
Tensor Tensor::ne(const Tensor& other) const { return gradus::ne(*this, other); }
Tensor Tensor::ne(double value) const { return gradus::ne(*this, value); }
Tensor Tensor::lt(const Tensor& other) const { return gradus::lt(*this, other); }
Tensor Tensor::lt(double value) const { return gradus::lt(*this, value); }
Tensor Tensor::le(const Tensor& other) const { return gradus::le(*this, other); }
Tensor Tensor::le(double value) const { return gradus::le(*this, value); }
Tensor Tensor::gt(const Tensor& other) const { return gradus::gt(*this, other); }
Tensor Tensor::gt(double value) const { return gradus::gt(*this, value); }
Tensor Tensor::ge(const Tensor& other) const { return gradus::ge(*this, other); }
Tensor Tensor::ge(double value) const { return gradus::ge(*this, value); }
Tensor Tensor::pow(double exponent) const { return gradus::pow(*this, exponent); }
Tensor Tensor::neg() const { return gradus::neg(*this); }
Tensor Tensor::abs() const { return gradus::abs(*this); }
Tensor Tensor::sign() const { return gradus::sign(*this); }
Tensor Tensor::square() const { return gradus::square(*this); }
Tensor Tensor::sqrt() const { return gradus::sqrt(*this); }
Tensor Tensor::exp() const { return gradus::exp(*this); }
Tensor Tensor::log() const { return gradus::log(*this); }
Tensor Tensor::sin() const { return gradus::sin(*this); }
Tensor Tensor::cos() const { return gradus::cos(*this); }
Tensor Tensor::tanh() const { return gradus::tanh(*this); }
Tensor Tensor::sigmoid() const { return gradus::sigmoid(*this); }
Tensor Tensor::relu() const { return gradus::relu(*this); }
Tensor Tensor::clamp(std::optional<double> min, std::optional<double> max) const {
  return gradus::clamp(*this, min, max);
}

Tensor Tensor::exp2() const { return gradus::exp2(*this); }
Tensor Tensor::expm1() const { return gradus::expm1(*this); }
Tensor Tensor::log1p() const { return gradus::log1p(*this); }
Tensor Tensor::log2() const { return gradus::log2(*this); }
Tensor Tensor::log10() const { return gradus::log10(*this); }
Tensor Tensor::rsqrt() const { return gradus::rsqrt(*this); }
Tensor Tensor::reciprocal() const { return gradus::reciprocal(*this); }
Tensor Tensor::erf() const { return gradus::erf(*this); }
Tensor Tensor::tan() const { return gradus::tan(*this); }
Tensor Tensor::asin() const { return gradus::asin(*this); }
Tensor Tensor::acos() const { return gradus::acos(*this); }
Tensor Tensor::atan() const { return gradus::atan(*this); }
Tensor Tensor::sinh() const { return gradus::sinh(*this); }
Tensor Tensor::cosh() const { return gradus::cosh(*this); }
Tensor Tensor::floor() const { return gradus::floor(*this); }
Tensor Tensor::ceil() const { return gradus::ceil(*this); }
Tensor Tensor::round() const { return gradus::round(*this); }
Tensor Tensor::trunc() const { return gradus::trunc(*this); }
Tensor Tensor::atan2(const Tensor& x) const { return gradus::atan2(*this, x); }
Tensor Tensor::remainder(const Tensor& divisor) const { return gradus::remainder(*this, divisor); }
Tensor Tensor::remainder(double divisor) const { return gradus::remainder(*this, divisor); }
Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const { return gradus::lerp(*this, end, weight); }
Tensor Tensor::lerp(const Tensor& end, double weight) const { return gradus::lerp(*this, end, weight); }

}  // namespace gradus
