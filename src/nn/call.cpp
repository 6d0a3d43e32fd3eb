// Calling a module: its hooks, and the path in its errors. Without hooks and errors this costs a look at a pointer.
#include "nn/call.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <typeinfo>

#include "storage/format.hpp"

namespace gradus::nn {
namespace {

struct PathTo final : MemberVisitor {
  const Module* wanted;
  std::optional<std::string> found;
  explicit PathTo(const Module& module) : wanted(&module) {}
  void module(const MemberPath& path, Module& module) override {
    if (found) return;
    if (&module == wanted)
      found = path.to_string();
    else
      MemberVisitor::module(path, module);
  }
};

std::string joined(const std::string& path, const std::string& rest) {
  return path.empty() || rest.empty() ? path + rest : path + "." + rest;
}

}  // namespace

ModuleError::ModuleError(const Module& module, const std::string& path, const std::string& rule)
    : Error(path.empty() ? rule : path + ": " + rule), module_(&module), path_(path), rule_(rule) {}

void detail::throw_through(Module& module) {
  try {
    throw;
  } catch (const ModuleError& error) {
    PathTo visitor(error.module());
    module.visit_members(visitor, {});
    throw ModuleError(module, joined(visitor.found.value_or(""), error.path()), error.rule());
  } catch (const Error& error) {
    if (typeid(error) != typeid(Error)) throw;  // whoever throws an error of its own kind wants that
    throw ModuleError(module, "", error.what());
  }
}

std::string class_name(const Module& module) {
  const char* mangled = typeid(module).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return name ? name.get() : mangled;
}

std::string short_class_name(const Module& module) {
  std::string name = class_name(module);
  const std::size_t arguments = std::min(name.find('<'), name.size());  // of a template
  const std::size_t scope = name.rfind("::", arguments);
  if (scope != name.npos) name.erase(0, scope + 2);
  return name.starts_with("FunctionModule<") ? "function" : name;
}

Tensor Module::forward(const Tensor&) { fail("forward: {} defines no forward(const Tensor&)", class_name(*this)); }

}  // namespace gradus::nn
