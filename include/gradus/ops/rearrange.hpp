// Rearranging: parts of a tensor, repeated, reversed, padded or cut out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// The elements on and below the given diagonal of each matrix, else 0; diagonal 1 is the one above the main one
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
// The elements on and above it
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
// A view of x[..., i, i + offset], with dim1 and dim2 gone and the diagonal as last dim
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1);
// (n) -> (n + |k|, n + |k|) with x on diagonal k, zeros elsewhere; or a copy of diagonal k of a matrix
Tensor diag(const Tensor& x, std::int64_t diagonal = 0);

// Reversed along the dims
Tensor flip(const Tensor& x, const Dims& dims);
// out[(i + shift) mod n] = x[i], a shift per dim; without dims: of the flattened tensor
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims = {});
// The whole tensor several times along each dim, as tiles; more repeats than dims put new dims in front
Tensor repeat(const Tensor& x, const Shape& repeats);
// Every slice along dim several times, one after the other; without dim: of the flattened tensor
Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::optional<std::int64_t> dim = {});
// The same, with a number of its own for each slice: 1-d int64
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<std::int64_t> dim = {});

enum class PadMode {
  constant,   // v v | a b c d | v v
  reflect,    // c b | a b c d | c b
  replicate,  // a a | a b c d | d d
  circular    // c d | a b c d | a b
};
struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;
};
// Pads the last dim by (pad[0], pad[1]), the one before by (pad[2], pad[3]), and so on. Where the mode is constant, a
// negative number cuts off.
Tensor pad(const Tensor& x, const Shape& pad, const PadOptions& options = {});

// Views of consecutive parts along dim: of one size (the last may be smaller), or of the sizes given
std::vector<Tensor> split(const Tensor& x, std::int64_t split_size, std::int64_t dim = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& split_sizes, std::int64_t dim = 0);
// At most so many parts, of one size but for the last
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim = 0);
// Views x[0], x[1], ... along dim, which vanishes
std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim = 0);

enum class Indexing { ij, xy };  // xy: the first two inputs swap dims, as in a picture
struct MeshgridOptions {
  Indexing indexing = Indexing::ij;
};
// Vectors (n), (m), ... -> views (n, m, ...) of each, repeated along the dims of the others
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const MeshgridOptions& options = {});

}  // namespace gradus
