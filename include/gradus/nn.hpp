// Modules: what models are made of.
#pragma once

#include "gradus/nn/activation.hpp"
#include "gradus/nn/any_module.hpp"
#include "gradus/nn/batch_norm.hpp"
#include "gradus/nn/clip_grad.hpp"
#include "gradus/nn/dropout.hpp"
#include "gradus/nn/embedding.hpp"
#include "gradus/nn/gradient_noise.hpp"
#include "gradus/nn/init.hpp"
#include "gradus/nn/linear.hpp"
#include "gradus/nn/lsuv.hpp"
#include "gradus/nn/members.hpp"
#include "gradus/nn/module.hpp"
#include "gradus/nn/norm.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/nn/rectifier.hpp"
#include "gradus/nn/sequential.hpp"
