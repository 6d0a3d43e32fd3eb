// The loss around the weights of a network: slices along random directions, and the plane in which training went.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "gradus/functional.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/plot/grid.hpp"
#include "gradus/train/callback.hpp"

namespace gradus::train {

// A direction, or a state, in the space of a model's parameters: a tensor for each.
using Weights = std::vector<Tensor>;

// Random, and as long, filter by filter, as the weights of the model: so slices of different networks compare. Biases
// and weights of normalisation, of one dim, have zeros. [Li et al., Visualizing the loss landscape of neural nets,
// NeurIPS 2018]
Weights filter_normalized_direction(const nn::Module& model, std::uint64_t seed = 0);

struct SliceOptions {
  double extent = 1;         // from -extent to extent along each direction; at 1 a filter has gone its own length
  std::int64_t points = 25;  // along each direction; odd, so that the weights themselves are among them
  std::uint64_t seed = 0;
  std::vector<Weights> directions = {};  // instead of random ones
};

struct LossLine {
  std::vector<double> x, loss;
};

// The loss at the model's weights + x a, and + x a + y b for a 2-D slice. `loss` evaluates the model as it is; nothing
// is recorded. Weights and buffers are afterwards as they were, bit for bit, also if it throws. Throws unless extent is
// positive and finite, points at least 2, and directions are as many as needed and have the parameters' shapes.
LossLine loss_line(nn::Module& model, const gradus::LossFunction& loss, const SliceOptions& options = {});
plot::Grid loss_slice(nn::Module& model, const gradus::LossFunction& loss, const SliceOptions& options = {});

// A callback that keeps the weights: before training, and after each epoch.
class PathRecorder : public Callback {
 public:
  void on_train_begin(Run& run) override;
  void on_epoch_end(Run& run) override;

  const std::vector<Weights>& snapshots() const { return snapshots_; }

 private:
  std::vector<Weights> snapshots_;
};
std::shared_ptr<PathRecorder> path_recorder();

// The plane through the last of some states in which the way there shows best: the first two principal components of
// the differences to it.
struct PrincipalPlane {
  Weights center;
  std::array<Weights, 2> directions;  // orthonormal
  std::vector<double> shares;         // of the variance, for all components, the largest first
  std::vector<double> x, y;           // of the states, in units of the directions; the last is at (0, 0)
};
// Throws unless there are at least three snapshots, of the same shapes, that differ.
PrincipalPlane principal_plane(const std::vector<Weights>& snapshots);

struct PlaneOptions {
  std::int64_t points = 25;  // along each direction
  double margin = 0.25;      // around the path, as a share of its longer side
};
// The loss on the plane, where the path is and around it; as loss_slice.
plot::Grid loss_on_plane(nn::Module& model, const gradus::LossFunction& loss, const PrincipalPlane& plane,
                         const PlaneOptions& options = {});

}  // namespace gradus::train
