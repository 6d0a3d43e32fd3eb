// Patients for the doctor: each row makes one, sick or healthy, from a seed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradus/data.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/train.hpp"

namespace gradus::tests {

struct DoctorPatient {
  nn::AnyModule model;
  train::LossFunction loss;
  data::Dataset batch;
  std::unique_ptr<optim::Optimizer> optimizer = nullptr;
};

struct DoctorCase {
  std::string name;
  std::function<DoctorPatient()> make;  // after manual_seed()
  train::Illness illness = {};          // of sick ones
  std::string where = {};
};

const std::vector<DoctorCase>& sick_cases();
const std::vector<DoctorCase>& healthy_cases();

// Points around `classes` centres: (n, features), int64 (n).
inline data::Dataset blobs(std::int64_t n, std::int64_t features, std::int64_t classes) {
  const Tensor y = remainder(arange(static_cast<double>(n)), static_cast<double>(classes)).to(int64);
  const Tensor centres = 1.5 * randn({classes, features});
  return {randn({n, features}) * 0.6 + index_select(centres, 0, y), y};
}

// A smooth function of points: (n, features), (n, 1).
inline data::Dataset waves(std::int64_t n, std::int64_t features) {
  const Tensor x = randn({n, features});
  return {x, sin(matmul(x, randn({features, 1}))) + 0.05 * randn({n, 1})};
}

// Two classes: (n, features), 0 or 1 in floating point (n, 1).
inline data::Dataset coins(std::int64_t n, std::int64_t features) {
  const data::Dataset points = blobs(n, features, 2);
  return {points.x, points.y.to(float32).reshape({n, 1})};
}

// (n, 1, 8, 8) of a bright stripe, whose place is the class; with noise.
inline data::Dataset stripes(std::int64_t n, std::int64_t classes) {
  const data::Dataset points = blobs(n, 1, classes);
  Tensor x = 0.3 * randn({n, 1, 8, 8});
  for (std::int64_t i = 0; i < n; ++i) {
    Tensor row = x[i][0][2 * points.y[i].item<std::int64_t>()];
    row += 1.0;
  }
  return {x, points.y};
}

// (n, steps, features), the class is that of the last step: int64 (n).
inline data::Dataset series(std::int64_t n, std::int64_t steps, std::int64_t features, std::int64_t classes) {
  const data::Dataset points = blobs(n, features, classes);
  return {0.5 * randn({n, steps, features}) + points.x.unsqueeze(1), points.y};
}

inline Tensor last_step(const Tensor& x) { return x.select(1, -1); }

template <class Rule>
void prescribe(DoctorPatient& patient, const typename Rule::Group& group) {
  patient.optimizer = std::make_unique<Rule>(std::vector<typename Rule::Group>{group});
}
template <class Rule, class Options>
DoctorPatient with(DoctorPatient patient, const Options& options) {
  patient.optimizer = std::make_unique<Rule>(patient.model->parameters(), options);
  return patient;
}
inline DoctorPatient with_sgd(DoctorPatient patient, double lr, double momentum = 0) {
  return with<optim::SGD>(std::move(patient), optim::SGDOptions{.lr = lr, .momentum = momentum});
}
inline DoctorPatient with_adam(DoctorPatient patient, double lr) {
  return with<optim::Adam>(std::move(patient), optim::AdamOptions{.lr = lr});
}

// Writes over a parameter or buffer, without a trace on the tape.
inline void change(nn::Module& model, const std::string& name, const std::function<void(Tensor&)>& how) {
  const NoGrad guard;
  Tensor p = model.state_dict().at(name);
  how(p);
}

}  // namespace gradus::tests
