// What an Error says about the module that it comes from.
#pragma once

#include <string>

#include "gradus/error.hpp"
#include "gradus/nn/module.hpp"

namespace gradus::nn {

// An Error from inside a module, on its way out: each module that it passes puts the path to the last one in front.
class ModuleError final : public Error {
 public:
  ModuleError(const Module& module, const std::string& path, const std::string& rule);

  const Module& module() const { return *module_; }  // which threw it last
  const std::string& path() const { return path_; }  // from there to where it began
  const std::string& rule() const { return rule_; }

 private:
  const Module* module_;
  std::string path_, rule_;
};

std::string class_name(const Module& module);
// Without namespaces: "Linear"; "function" for what is none.
std::string short_class_name(const Module& module);

}  // namespace gradus::nn
